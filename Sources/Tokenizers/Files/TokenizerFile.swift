import Foundation

/// The files that tokenizers read.
enum TokenizerFile {
  /// Several times the size of the largest public `tokenizer.json` and `tokenizer.model`.
  static let maximumByteCount = 64 << 20
  /// Four times the number of tokens in the largest public vocabulary.
  static let maximumTokenCount = 1_000_000

  /// The file's bytes, never more than the bound, whatever the path leads to.
  ///
  /// - Throws: `TokenizerError` for what is not a regular file, cannot be read, or is too large.
  static func contents(
    of url: URL, maximumByteCount: Int = TokenizerFile.maximumByteCount
  ) throws -> [UInt8] {
    do {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: url.resolvingSymlinksInPath().path)
      guard attributes[.type] as? FileAttributeType == .typeRegular else {
        throw TokenizerError.unreadable(file: url.path, reason: "it is not a regular file")
      }
      let handle = try FileHandle(forReadingFrom: url)
      defer { try? handle.close() }
      let data = try handle.read(upToCount: maximumByteCount + 1) ?? Data()
      guard data.count <= maximumByteCount else {
        throw TokenizerError.tooLarge(file: url.path, maximumByteCount: maximumByteCount)
      }
      return Array(data)
    } catch let error as TokenizerError {
      throw error
    } catch {
      throw TokenizerError.unreadable(file: url.path, reason: error.localizedDescription)
    }
  }

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Bytes of a file for a message: readable and not long.
  static func excerpt(_ bytes: some Collection<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(60), as: UTF8.self)
    let shown = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }
    return "\"" + String(String.UnicodeScalarView(shown)) + (bytes.count > 60 ? "…\"" : "\"")
  }
}
