import Files
import Foundation

/// What a shard says about an image.
struct ShardText {
  /// The most bytes of a `.txt` or `.json` file.
  static let sizeLimit = 1 << 20

  let captions: [String]
  let imageId: String?

  /// - Parameters:
  ///   - json: An object with `caption` or `captions` (a text or a list of texts), or else `text`,
  ///     and, where images have ids, `image_id`.
  ///   - text: A caption as it is, asked for only where the object has none.
  /// - Throws: `Problem`, and what `text` throws.
  init(json: [UInt8]?, text: () throws -> [UInt8]?) throws {
    var captions: [String]?
    var imageId: String?
    do {
      if let json {
        guard case .object(let members) = try JSONScanner.document(json) else {
          throw Problem("its .json is no object")
        }
        // Tools write null for what they do not know.
        let fields = JSONFields(
          members.filter { if case .null = $0.value { return false } else { return true } })
        captions = try fields.captions(orElse: ["text"])
        imageId = try fields.imageId()
      }
    } catch let failure as JSONScanner.Failure {
      let problem = FileKind.words(json ?? [], orElse: failure.problem)
      throw Problem("its .json is no JSON at byte \(failure.offset): \(problem)")
    } catch let problem as FieldProblem {
      throw Problem("field \"\(problem.field)\" of its .json: \(problem.text)")
    }
    if captions == nil, let text = try text() {
      let caption = try CaptionFile.text(text, of: "its .txt").withoutMarks
        .trimmingCharacters(in: .whitespacesAndNewlines)
      guard !caption.isEmpty else { throw Problem("its .txt is empty") }
      captions = [caption]
    }
    guard let captions else {
      throw Problem("its .json has none of \"caption\", \"captions\" and \"text\"")
    }
    self.captions = captions
    self.imageId = imageId
  }
}
