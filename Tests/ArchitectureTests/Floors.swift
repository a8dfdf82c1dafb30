import Foundation

/// The modules, and which of them each may import: what its target in Package.swift declares. The compiler
/// takes imports that no target declares where the module happens to be built already.
struct Floors {
  /// Part of every Swift installation; open to all modules, but see `withoutFoundation`.
  static let everywhere: Set<String> = ["Foundation", "Glibc", "Synchronization"]

  /// Folders whose code runs millions of times a step and stays clear of Foundation's conveniences.
  static let withoutFoundation = ["Sources/Tensors/Kernels/", "Sources/Autograd/"]

  /// What each module's target declares.
  let declared: [String: Set<String>]

  init() throws {
    let text = try Repository.file("Package.swift").lines.joined(separator: "\n")
    // target("Name", ["Module", product]) and .executableTarget(name: "Name", dependencies: […]).
    let target =
      #/(?:\btarget\(|\.executableTarget\(\s*name:)\s*"([^"]+)",\s*(?:dependencies:\s*)?\[([^\]]*)\]/#
    var declared: [String: Set<String>] = [:]
    for match in text.matches(of: target) {
      let names = match.2.split(separator: ",").map {
        $0.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      let products = ["yams": "Yams", "argumentParser": "ArgumentParser"]
      declared[String(match.1)] = Set(
        names.filter { !$0.isEmpty }.map { products[$0] ?? $0.replacing("\"", with: "") })
    }
    self.declared = declared
  }
}
