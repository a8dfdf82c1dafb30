import Foundation
import TestSupport

/// Every safetensors file below the goldens, as paths relative to them.
let goldenFiles: [String] = {
  let all =
    FileManager.default.enumerator(atPath: Goldens.folder.path)?.allObjects
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
