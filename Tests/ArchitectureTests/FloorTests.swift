import Foundation
import Testing

/// Every import against the floors.
struct FloorTests {
  @Test func eachImportIsDeclaredAndEachDeclarationNeeded() throws {
    let sources = try Repository.sources()
    #expect(sources.count > 100, "the sources are not where this test looks for them")
    let floors = try Floors()
    var violations: [String] = []
    var imported: [String: Set<String>] = [:]
    for file in sources {
      let declared = floors.declared[file.module] ?? []
      for name in Self.imports(in: file) where !Floors.everywhere.contains(name) {
        imported[file.module, default: []].insert(name)
        if !declared.contains(name) {
          violations.append("\(file.path): the target \(file.module) does not declare \(name)")
        }
      }
    }
    for (module, declared) in floors.declared {
      for name in declared.subtracting(imported[module] ?? []).sorted() {
        violations.append("Package.swift: \(module) declares \(name) and does not import it")
      }
    }
    #expect(violations == [])
  }

  @Test func kernelsDoWithoutFoundation() throws {
    let violations = try Repository.sources().filter { file in
      Floors.withoutFoundation.contains { file.path.hasPrefix($0) }
        && Self.imports(in: file).contains("Foundation")
    }
    #expect(violations.map(\.path) == [])
  }

  @Test(arguments: [
    ("import Tensors", "Tensors"), ("@testable import Layers // why", "Layers"),
    ("  @preconcurrency public import Yams", "Yams"),
    ("import struct Foundation.URL", "Foundation"),
    ("import Glibc.math", "Glibc"), ("@_spi(Inner) import Files", "Files"),
    ("/// import Tensors", nil), ("important(Tensors)", nil), ("let x = \"import Tensors\"", nil),
  ])
  func importLinesAreRecognised(_ line: String, _ module: String?) {
    #expect(Self.importedModule(line) == module)
  }

  private static func imports(in file: Repository.SourceFile) -> [String] {
    file.lines.compactMap { importedModule(String($0)) }
  }

  private static func importedModule(_ line: String) -> String? {
    let words = line.split(separator: #/\s+/#)[...].drop { $0.hasPrefix("@") }
    let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    let statement = words.drop { modifiers.contains($0) }
    guard statement.first == "import" else { return nil }
    let kinds: Set<Substring> = [
      "struct", "class", "enum", "protocol", "typealias", "actor", "func", "let", "var",
    ]
    let name = statement.dropFirst().drop { kinds.contains($0) }.first
    return name?.split(separator: ".").first.map(String.init)
  }
}
