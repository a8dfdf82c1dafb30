import Foundation

/// Reads lists of `{"image": path, "caption": text or list, "image_id": text or integer}`, as one
/// JSON list or as JSON lines; the first character tells which. `captions` may stand in for
/// `caption`; other fields are ignored.
struct ListReader {
  /// The most bytes of a list.
  static let sizeLimit = 4 << 30

  let file: String

  func read(into builder: inout CaptionIndex.Builder) throws {
    let bytes: [UInt8]
    do {
      bytes = try BoundedFile.contents(of: file, limit: Self.sizeLimit)
    } catch let error as BoundedFile.Failure {
      throw DatasetError(error, file: file, limit: Self.sizeLimit)
    }
    try bytes.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      do {
        try read(&scanner, into: &builder)
      } catch let failure as JSONScanner.Failure {
        throw DatasetError.malformed(
          file: file, line: scanner.line(of: failure.offset), problem: failure.problem)
      }
    }
  }

  private func read(
    _ scanner: inout JSONScanner, into builder: inout CaptionIndex.Builder
  ) throws {
    var record = 0
    func add(_ scanner: inout JSONScanner) throws {
      record += 1
      _ = scanner.peek()
      let start = scanner.offset
      do {
        try ListRecord(try scanner.value()).add(to: &builder)
      } catch let problem as ListRecord.Problem {
        throw DatasetError.badRecord(
          file: file, record: record, line: scanner.line(of: start), field: problem.field,
          problem: problem.text)
      }
    }
    if scanner.skip("[") {
      guard !scanner.skip("]") else { return }
      repeat { try add(&scanner) } while scanner.skip(",")
      guard scanner.skip("]") else {
        throw scanner.failure("expected \",\" or \"]\" after record \(record)")
      }
      guard scanner.peek() == nil else { throw scanner.failure("something follows the list") }
    } else {
      while scanner.peek() != nil { try add(&scanner) }
    }
  }
}

/// One entry of a list.
private struct ListRecord {
  struct Problem: Error {
    var field: String
    var text: String
  }

  private let path: String
  private let captions: [String]
  private let imageId: String?

  init(_ value: JSONValue) throws {
    guard case .object(let members) = value else {
      throw Problem(field: "image", text: "expected an object, found \(value.kind)")
    }
    var fields: [String: JSONValue] = [:]
    for (name, value) in members {
      guard fields.updateValue(value, forKey: name) == nil else {
        throw Problem(field: name, text: "appears twice")
      }
    }
    switch fields["image"] {
    case .string(let text) where !text.isEmpty && !text.utf8.contains(0): path = text
    case .string: throw Problem(field: "image", text: "expected a path, found an unusable text")
    case let other:
      throw Problem(field: "image", text: "expected a path, found \(other?.kind ?? "nothing")")
    }
    captions = try Self.captions(fields)
    switch fields["image_id"] {
    case nil, .null: imageId = nil
    case .string(let text): imageId = text
    case .number(let text) where Int(text) != nil: imageId = text
    case .some(let other):
      throw Problem(
        field: "image_id", text: "expected a text or a 64-bit integer, found \(other.kind)")
    }
  }

  private static func captions(_ fields: [String: JSONValue]) throws -> [String] {
    let given = ["caption", "captions"].filter { fields[$0] != nil }
    guard given.count < 2 else {
      throw Problem(field: "captions", text: "stands beside \"caption\"; give one of the two")
    }
    guard let name = given.first, let value = fields[name] else {
      throw Problem(field: "caption", text: "expected a text or a list of texts, found nothing")
    }
    let elements: [JSONValue]
    if case .array(let list) = value { elements = list } else { elements = [value] }
    guard !elements.isEmpty else { throw Problem(field: name, text: "the list is empty") }
    return try elements.map { element in
      guard case .string(let text) = element else {
        throw Problem(field: name, text: "expected a text, found \(element.kind)")
      }
      guard text.contains(where: { !$0.isWhitespace }) else {
        throw Problem(field: name, text: "a caption is empty; leave the record out")
      }
      return text
    }
  }

  func add(to builder: inout CaptionIndex.Builder) throws {
    if let earlier = try builder.add(path: path, captions: captions, imageId: imageId) {
      throw Problem(
        field: "image_id",
        text: "is \(imageId ?? "missing"), but an earlier record of \(path) has \(earlier)")
    }
  }
}

extension DatasetError {
  init(_ failure: BoundedFile.Failure, file: String, limit: Int) {
    switch failure {
    case .system(let detail): self = .unreadable(file: file, detail: detail)
    case .notRegular: self = .unreadable(file: file, detail: "it is not a regular file")
    case .tooLarge(let size): self = .fileTooLarge(file: file, bytes: size, limit: limit)
    }
  }
}
