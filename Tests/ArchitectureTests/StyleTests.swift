import Foundation
import Testing

/// Rules that no formatter holds.
struct StyleTests {
  @Test func filesAreShort() throws {
    let files = try Repository.sources() + Repository.files(in: "Tests", extensions: ["swift"])
    let long = files.filter { $0.lines.count > 351 }
    #expect(long.map { "\($0.path): \($0.lines.count - 1) lines" } == [])
  }

  /// The second line's calls fail with Foundation's words; `Files` has others that fail with the system's.
  @Test(arguments: [
    "try!", "as!", "TODO", "FIXME", "fatalError(\"not implemented",
    "try FileManager", "try FileHandle", "Data(contentsOf", "String(contentsOf", "options: .atomic",
    ".createDirectory(",
  ])
  func sourcesDoWithout(_ text: String) throws {
    let places = try Repository.sources().flatMap { file in
      file.lines.enumerated().filter { $0.element.contains(text) }
        .map { "\(file.path):\($0.offset + 1)" }
    }
    #expect(places == [])
  }

  @Test func eachModuleHasATarget() throws {
    let manifest = try Repository.file("Package.swift").lines.joined(separator: "\n")
    let modules = try Repository.modules()
    #expect(modules.contains("Tensors"))
    #expect(modules.filter { !Self.names(manifest, target: $0) } == [])
  }

  @Test func eachFolderOfTestsHasATarget() throws {
    let manifest = try Repository.file("Package.swift").lines.joined(separator: "\n")
    let files = try Repository.files(in: "Tests", extensions: ["swift"])
    let folders = Set(files.map(\.module))
    #expect(folders.contains("ArchitectureTests"))
    #expect(folders.sorted().filter { !Self.names(manifest, target: $0) } == [])
  }

  /// A target is made by a call whose first argument is its name.
  private static func names(_ manifest: String, target: String) -> Bool {
    let pattern = "(?i)(target|tests|systemLibrary)\\(\\s*(name:\\s*)?\"\(target)\""
    return manifest.range(of: pattern, options: .regularExpression) != nil
  }

  /// Paths that exist on one person's machine only.
  @Test func noFileNamesAPrivateFolder() throws {
    let extensions: Set = ["swift", "c", "h", "md", "yaml", "py", "sh", "modulemap"]
    let folders = ["Sources", "Tests", "Configs", "Data", "Benchmarks", "Scripts"]
    var files = try folders.flatMap { try Repository.files(in: $0, extensions: extensions) }
    files += try Repository.files(in: ".ci", extensions: [""])
    for name in ["Package.swift", "Makefile", "README.md", "CONTRIBUTING.md"]
    where FileManager.default.fileExists(
      atPath: Repository.root.appendingPathComponent(name).path)
    { files.append(try Repository.file(name)) }
    let names = ["home", "Users", "root", "work", "tmp/h"].joined(separator: "|")
    let folder = try Regex("(?:^|[\\s\"'`(=:])/(?:\(names))/")
    let places = files.flatMap { file in
      file.lines.enumerated().filter { $0.element.contains(folder) }
        .map { "\(file.path):\($0.offset + 1): \($0.element)" }
    }
    #expect(places == [])
  }
}
