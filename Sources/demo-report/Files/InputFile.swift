import Foundation

/// A record with the place that it was read from.
struct Placed<Record> {
  let file: String
  let place: InputPlace
  let record: Record

  func error(field: String, _ problem: String) -> InputError {
    InputError(file: file, place: place, field: field, problem: problem)
  }
}

/// A file of JSON objects, one a line or all in a list.
struct InputFile {
  let path: String

  /// More would be no demo's.
  static let maximumSize = 256 << 20

  /// - Throws: ``InputError``, also for a file without records.
  func records<Record: Decodable>(_ type: Record.Type) throws -> [Placed<Record>] {
    let data = try contents()
    let isList = data.first { !Self.blanks.contains($0) } == UInt8(ascii: "[")
    let records: [Placed<Record>] = try isList ? listed(data) : lined(data)
    guard !records.isEmpty else { throw InputError(file: path, problem: "holds no records") }
    return records
  }

  /// The bytes.
  func contents() throws -> Data {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw InputError(file: path, problem: "there is no such file")
    }
    guard !isFolder.boolValue else {
      throw InputError(file: path, problem: "expected a file, found a folder")
    }
    guard let handle = FileHandle(forReadingAtPath: path),
      let data = try? handle.read(upToCount: Self.maximumSize + 1) ?? Data()
    else { throw InputError(file: path, problem: "cannot be read") }
    guard data.count <= Self.maximumSize else {
      throw InputError(
        file: path, problem: "expected at most \(Self.maximumSize) bytes, found more")
    }
    return data
  }

  private static let blanks = Set(" \t\r\n".utf8)

  private func lined<Record: Decodable>(_ data: Data) throws -> [Placed<Record>] {
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return try lines.enumerated().compactMap { number, line in
      guard line.contains(where: { !Self.blanks.contains($0) }) else { return nil }
      let place = InputPlace.line(number + 1)
      do {
        return Placed(
          file: path, place: place, record: try JSONDecoder().decode(Record.self, from: line))
      } catch {
        throw InputError(error, file: path, place: place)
      }
    }
  }

  private func listed<Record: Decodable>(_ data: Data) throws -> [Placed<Record>] {
    do {
      return try JSONDecoder().decode([Record].self, from: data).enumerated().map {
        Placed(file: path, place: .entry($0 + 1), record: $1)
      }
    } catch let error as DecodingError {
      let number = error.context?.codingPath.first?.intValue
      throw InputError(error, file: path, place: number.map { .entry($0 + 1) })
    }
  }
}

extension InputError {
  /// What the decoder found wrong, in this program's words.
  fileprivate init(_ error: any Error, file: String, place: InputPlace?) {
    guard let error = error as? DecodingError, let context = error.context else {
      self.init(file: file, place: place, problem: "cannot be read")
      return
    }
    var keys = context.codingPath[...]
    // The place says already which entry of the list it is.
    if case .entry = place { keys = keys.dropFirst() }
    if case .keyNotFound(let key, _) = error { keys.append(key) }
    let field = keys.reduce("") { name, key in
      if let place = key.intValue { return "\(name)[\(place)]" }
      return name.isEmpty ? key.stringValue : "\(name).\(key.stringValue)"
    }
    self.init(
      file: file, place: place, field: field.isEmpty ? nil : field,
      problem: Self.problem(error, isWhole: field.isEmpty))
  }

  private static func problem(_ error: DecodingError, isWhole: Bool) -> String {
    switch error {
    case .keyNotFound: "is missing"
    case .typeMismatch(let type, _): "expected \(name(of: type)), found something else"
    case .valueNotFound(let type, _): "expected \(name(of: type)), found null"
    case .dataCorrupted(let context):
      isWhole ? "is not JSON" : context.debugDescription
    @unknown default: "cannot be read"
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Double.Type: "a number"
    case is [String: Any].Type: "an object"
    default: "\(type)".hasPrefix("Dictionary") ? "an object" : "a list"
    }
  }
}

extension DecodingError {
  fileprivate var context: Context? {
    switch self {
    case .keyNotFound(_, let context), .typeMismatch(_, let context),
      .valueNotFound(_, let context), .dataCorrupted(let context):
      context
    @unknown default: nil
    }
  }
}
