import CSentencePiece

/// A model as the sentencepiece library holds it.
///
/// The library's encoder does not change the model, so that threads may share it.
final class SentencePieceLibrary: @unchecked Sendable {
  private let model: OpaquePointer

  /// - Parameter bytes: A model that `SentencePieceModel` has looked through: the library believes
  ///   what the bytes say of places in them.
  /// - Throws: `TokenizerError.refused`.
  init(_ bytes: [UInt8], file: String) throws {
    var message = [CChar](repeating: 0, count: 512)
    let loaded = bytes.withUnsafeBytes {
      csentencepiece_load($0.baseAddress, $0.count, &message, message.count)
    }
    guard let loaded else {
      let reason = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw TokenizerError.refused(file: file, reason: String(decoding: reason, as: UTF8.self))
    }
    model = loaded
  }

  deinit { csentencepiece_free(model) }

  var pieceCount: Int { Int(csentencepiece_piece_count(model)) }

  /// Appends the ids of `text`, valid UTF-8.
  ///
  /// - Returns: Whether the library could cut it.
  func encode(_ text: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) -> Bool {
    text.withMemoryRebound(to: CChar.self) { text in
      withUnsafeMutablePointer(to: &ids) { ids in
        csentencepiece_encode(
          model, text.baseAddress, text.count,
          { ids, found, count in
            ids?.assumingMemoryBound(to: [Int32].self).pointee += UnsafeBufferPointer(
              start: found, count: count)
          }, ids) != 0
      }
    }
  }
}
