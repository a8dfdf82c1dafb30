import Foundation

/// The folder of reference values: `BLIP2_GOLDENS`, or `Tests/Goldens` of the repository.
let goldensFolder: URL = {
  if let path = ProcessInfo.processInfo.environment["BLIP2_GOLDENS"] {
    return URL(fileURLWithPath: path)
  }
  return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Goldens")
}()

/// Every safetensors file below the goldens, as paths relative to them.
let goldenFiles: [String] = {
  let all =
    FileManager.default.enumerator(atPath: goldensFolder.resolvingSymlinksInPath().path)?.allObjects
    ?? []
  return all.compactMap { $0 as? String }.filter { $0.hasSuffix(".safetensors") }.sorted()
}()

/// Runs `body` with a fresh folder that is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("weight-files-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The bytes of a safetensors file with the given header text and data.
func safetensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> Data {
  var bytes = Data()
  withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) {
    bytes.append(contentsOf: $0)
  }
  return bytes + Data(header.utf8) + Data(data)
}

/// SplitMix64: the same numbers at every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
