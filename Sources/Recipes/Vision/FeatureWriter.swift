import Files
import Foundation
import WeightFiles

/// Writes a file of features row by row, so that a process that is killed at any moment leaves what the
/// next one goes on from.
///
/// The file has its final form from the beginning, and behind that a mark: how many rows are kept, and
/// the digest of their checksums. Rows and checksums lie on the disk before the mark does that counts them, and
/// neither changes afterwards; a row that is not what its checksum says ends the trust in all.
final class FeatureWriter {
  private let layout: FeatureLayout
  private let part: ResumableFile
  private var file: OpenFile { part.file }
  /// The safetensors header.
  private let beginning: Data
  private var checksums: [UInt32] = []
  /// The rows that the mark counts.
  private(set) var keptCount = 0

  /// The rows that were written.
  var rowCount: Int { checksums.count }
  private var end: Int { beginning.count + layout.byteCount }

  /// Goes on with what the file holds, or begins.
  /// - Parameter report: Is told why what was there cannot be gone on with.
  /// - Throws: `SystemFailure`, `ReadFailure`, `WeightFileError.unwritable`.
  init(
    _ part: ResumableFile, layout: FeatureLayout, stamp: String, report: (String) -> Void
  ) throws {
    self.part = part
    self.layout = layout
    beginning = try SafetensorsWriter.beginning(
      layout.tensors, metadata: [FeatureLayout.stamp: stamp], file: part.target)
    let length = try file.length()
    if length > 0 {
      if let problem = try takeUp(length) {
        report("features: \(part.path) is begun anew: \(problem)")
      } else {
        return
      }
    }
    checksums = []
    keptCount = 0
    try file.setLength(0)
    try file.setLength(end + Mark.byteCount)
    try beginning.withUnsafeBytes { try file.write($0, at: 0) }
    try mark()
  }

  // MARK: Writing

  /// - Parameter row: The features of the next row, `[tokens, width]`, as bfloat16.
  func append(_ row: UnsafeRawBufferPointer) throws {
    precondition(
      row.count == layout.rowByteCount, "\(row.count) bytes in a row of \(layout.rowByteCount)")
    try file.write(row, at: beginning.count + layout.offset(ofRow: rowCount))
    checksums.append(FeatureLayout.checksum(of: row))
  }

  /// Passes over the rows before `row`, whose images cannot be read.
  func skip(to row: Int) throws {
    precondition(row <= layout.rowCount, "row \(row) of \(layout.rowCount)")
    let zeros = [UInt8](repeating: 0, count: rowCount < row ? layout.rowByteCount : 0)
    while rowCount < row {
      // Something may have been written there by a process that was killed.
      try zeros.withUnsafeBytes {
        try file.write($0, at: beginning.count + layout.offset(ofRow: rowCount))
      }
      checksums.append(0)
    }
  }

  /// Makes all rows so far survive whatever happens to this process or the machine.
  func keep() throws {
    let fresh = FeatureLayout.bytes(of: checksums[keptCount...])
    try fresh.withUnsafeBytes { try file.write($0, at: beginning.count + 4 * keptCount) }
    try file.synchronize()
    keptCount = rowCount
    try mark()
    try file.synchronize()
  }

  /// Gives the file its name.
  /// - Precondition: All rows are written.
  func finish() throws {
    precondition(rowCount == layout.rowCount, "\(rowCount) of \(layout.rowCount) rows")
    try keep()
    let digest = FeatureLayout.bytes(of: [FeatureLayout.digest(of: checksums)])
    try digest.withUnsafeBytes { try file.write($0, at: beginning.count + layout.digestOffset) }
    try file.synchronize()
    try file.setLength(end)
    try part.finish()
  }

  private func mark() throws {
    let mark = Mark(rows: keptCount, digest: FeatureLayout.digest(of: checksums[..<keptCount]))
    try mark.bytes.withUnsafeBytes { try file.write($0, at: end) }
  }

  // MARK: Going on

  /// - Returns: What is wrong with what is there, nil if nothing.
  private func takeUp(_ length: Int) throws -> String? {
    guard length >= beginning.count,
      try file.bytes(at: 0, count: beginning.count).elementsEqual(beginning)
    else { return "it is of something else" }
    guard let mark = try mark(length), (0...layout.rowCount).contains(mark.rows) else {
      return "it is damaged"
    }
    checksums = try file.bytes(at: beginning.count, count: 4 * mark.rows)
      .withUnsafeBytes { FeatureLayout.numbers(in: $0) }
    guard checksums.count == mark.rows, FeatureLayout.digest(of: checksums) == mark.digest else {
      return "it is damaged"
    }
    for (row, checksum) in checksums.enumerated() where checksum != 0 {
      let bytes = try file.bytes(
        at: beginning.count + layout.offset(ofRow: row), count: layout.rowByteCount)
      guard bytes.withUnsafeBytes({ FeatureLayout.checksum(of: $0) }) == checksum else {
        return "image \(row % layout.images + 1) is damaged in view \(row / layout.images + 1)"
      }
    }
    keptCount = mark.rows
    return nil
  }

  /// The mark of a file of this length; its last moment before it takes its name is without one.
  private func mark(_ length: Int) throws -> Mark? {
    if length == end {
      let digest = try file.bytes(at: beginning.count + layout.digestOffset, count: 4)
        .withUnsafeBytes { FeatureLayout.numbers(in: $0) }
      return digest.first.map { Mark(rows: layout.rowCount, digest: $0) }
    }
    guard length == end + Mark.byteCount else { return nil }
    let numbers = try file.bytes(at: end, count: Mark.byteCount)
      .withUnsafeBytes { FeatureLayout.numbers(in: $0) }
    guard numbers.count == 3 else { return nil }
    return Mark(
      rows: Int(clamping: UInt64(numbers[1]) << 32 | UInt64(numbers[0])), digest: numbers[2])
  }

  /// The rows that are kept, in two halves, the lower one first, and the digest of their checksums.
  private struct Mark {
    static let byteCount = 12
    let rows: Int
    let digest: UInt32

    var bytes: [UInt8] {
      FeatureLayout.bytes(of: [
        UInt32(truncatingIfNeeded: rows), UInt32(truncatingIfNeeded: rows >> 32), digest,
      ])
    }
  }
}
