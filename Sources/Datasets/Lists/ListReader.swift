import Files
import Foundation

/// Reads lists of `{"image": path, "caption": text or list, "image_id": text or integer}`, as one
/// JSON list or as JSON lines; the first character tells which. `captions` may stand in for
/// `caption`; other fields are ignored.
struct ListReader {
  /// The most bytes of a list.
  static let sizeLimit = 4 << 30

  let file: String

  func read(into builder: inout CaptionIndex.Builder) throws {
    let bytes = try DatasetError.reading {
      try BoundedFile.contents(of: file, limit: Self.sizeLimit)
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

extension DatasetError {
  /// What a refusal of the operating system means for a data set.
  init(_ error: SystemError, file: String) {
    self =
      error.isFailureOfSystem
      ? .systemFailure(file: file, error) : .unreadable(file: file, detail: error.words)
  }

  init(_ failure: ReadFailure) {
    switch failure.reason {
    case .system(let error): self.init(error, file: failure.path)
    case .tooLarge(let size, let limit):
      self = .fileTooLarge(file: failure.path, bytes: size, limit: limit)
    case .notRegular, .empty, .changed:
      self = .unreadable(file: failure.path, detail: "\(failure.reason)")
    }
  }

  /// Calls `body`, whose failure to read is a data set's error.
  static func reading<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let failure as ReadFailure {
      throw DatasetError(failure)
    }
  }
}
