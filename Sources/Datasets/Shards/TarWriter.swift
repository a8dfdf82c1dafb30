import Files
import Foundation

/// Writes a tar archive (ustar) whose bytes depend on names and contents alone: no time, no owner.
final class TarWriter {
  private let file: OpenFile
  private(set) var byteCount = 0

  /// Creates the file; it must not exist.
  /// - Throws: `SystemFailure`, as all methods do.
  init(creating path: String) throws {
    file = try OpenFile(path, flags: O_WRONLY | O_CREAT | O_EXCL, operation: "create")
  }

  /// - Precondition: The name has at most 100 bytes of UTF-8, and the content less than 8 GiB.
  func add(_ name: String, _ content: [UInt8]) throws {
    let end = byteCount + TarHeader.length(withContent: content.count)
    try append(Self.header(name, size: content.count))
    try append(content)
    try append([UInt8](repeating: 0, count: end - byteCount))
  }

  /// Ends the archive as GNU tar does, at a multiple of 20 blocks, and makes sure of the disk.
  func finish() throws {
    let record = 20 * TarHeader.length
    let end = byteCount + 2 * TarHeader.length
    try append([UInt8](repeating: 0, count: (end + record - 1) / record * record - byteCount))
    try file.synchronize()
  }

  private func append(_ bytes: [UInt8]) throws {
    try file.append(bytes)
    byteCount += bytes.count
  }

  private static func header(_ name: String, size: Int) -> [UInt8] {
    precondition(name.utf8.count <= 100 && size < 1 << 33, "\(name) of \(size) bytes")
    var block = [UInt8](repeating: 0, count: TarHeader.length)
    func put(_ text: String, at place: Int) {
      block.replaceSubrange(place..<(place + text.utf8.count), with: text.utf8)
    }
    put(name, at: 0)
    put("0000644", at: 100)
    // Owner, group and time.
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(String(format: "%011lo", size), at: 124)
    put("00000000000", at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(String(format: "%06lo", block.reduce(0) { $0 + Int($1) }) + "\0", at: 148)
    return block
  }
}
