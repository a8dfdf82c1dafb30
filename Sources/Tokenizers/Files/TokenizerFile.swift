import Files
import Foundation

/// The files that tokenizers read.
enum TokenizerFile {
  /// Several times the size of the largest public `tokenizer.json` and `tokenizer.model`.
  static let maximumByteCount = 64 << 20
  /// Four times the number of tokens in the largest public vocabulary.
  static let maximumTokenCount = 1_000_000

  /// The file's bytes, never more than the bound, whatever the path leads to.
  ///
  static func contents(
    of url: URL, maximumByteCount: Int = TokenizerFile.maximumByteCount
  ) throws -> [UInt8] {
    let bytes = try BoundedFile.contents(of: url.path, limit: maximumByteCount)
    if let kind = FileKind(bytes), !bytes.isEmpty {
      throw TokenizerError.otherKind(file: url.path, kind)
    }
    return bytes
  }

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Bytes of a file for a message: readable and not long.
  static func excerpt(_ bytes: some Collection<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(60), as: UTF8.self)
    let shown = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }
    return "\"" + String(String.UnicodeScalarView(shown)) + (bytes.count > 60 ? "…\"" : "\"")
  }
}
