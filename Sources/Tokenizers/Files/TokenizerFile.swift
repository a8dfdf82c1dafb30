import Files
import Foundation

/// The files that tokenizers read.
enum TokenizerFile {
  /// Several times the size of the largest public `tokenizer.json` and `tokenizer.model`.
  static let maximumByteCount = 64 << 20
  /// Four times the number of tokens in the largest public vocabulary.
  static let maximumTokenCount = 1_000_000

  /// The file's bytes, never more than the bound, whatever the path leads to.
  static func contents(
    of url: URL, maximumByteCount: Int = TokenizerFile.maximumByteCount
  ) throws -> [UInt8] {
    let bytes = try BoundedFile.contents(of: url.path, limit: maximumByteCount)
    if let kind = FileKind(bytes), !bytes.isEmpty {
      throw TokenizerError.otherKind(file: url.path, kind)
    }
    return bytes
  }

  /// The file's lines, without the byte order mark that editors put in front and the carriage returns
  /// of files that went through Windows. The last line may or may not have a line feed. Of a file with
  /// many more lines than a vocabulary may have tokens, the last one is the rest.
  static func lines(
    of url: URL, maximumByteCount: Int = TokenizerFile.maximumByteCount
  ) throws -> [ArraySlice<UInt8>] {
    var bytes = try contents(of: url, maximumByteCount: maximumByteCount)[...]
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    if bytes.isEmpty { return [] }
    if bytes.last == UInt8(ascii: "\n") { bytes = bytes.dropLast() }
    let lines = bytes.split(
      separator: UInt8(ascii: "\n"), maxSplits: maximumTokenCount + 1,
      omittingEmptySubsequences: false)
    return lines.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
  }

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Bytes of a file for a message: readable and not long.
  static func excerpt(_ bytes: some Collection<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(60), as: UTF8.self)
    let shown = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }
    return "\"" + String(String.UnicodeScalarView(shown)) + (bytes.count > 60 ? "…\"" : "\"")
  }
}
