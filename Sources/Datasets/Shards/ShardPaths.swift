import Files
import Foundation

/// The shards that a path names: one archive, all of a folder, those that match `*`, `?` and
/// `[a-z]`, or those of a range, `{00000..00331}`, or a list, `{a,b}`.
enum ShardPaths {
  /// The most shards of a source.
  static let limit = 1 << 17
  /// The most bytes of a pattern, as of a path.
  private static let lengthLimit = 4096
  private static let groupLimit = 16

  /// Whether a path that is no file's name stands for several.
  static func isPattern(_ path: String) -> Bool { path.utf8.contains { "*?[{".utf8.contains($0) } }

  /// - Throws: `DatasetError.badPattern` where nothing matches.
  static func matching(_ pattern: String) throws -> [String] {
    guard pattern.utf8.count <= lengthLimit,
      pattern.utf8.count(where: { $0 == UInt8(ascii: "{") }) <= groupLimit
    else {
      throw DatasetError.badPattern(
        path: String(pattern.prefix(80)) + "…",
        problem: "expected at most \(lengthLimit) bytes and \(groupLimit) pairs of braces")
    }
    do {
      return try paths(pattern)
    } catch let problem as Problem {
      throw DatasetError.badPattern(path: pattern, problem: problem.text)
    }
  }

  private static func paths(_ pattern: String) throws -> [String] {
    var paths: [String] = []
    for path in try withoutBraces(pattern) {
      let isGlob = path.utf8.contains { "*?[".utf8.contains($0) }
      paths += isGlob ? try globbed(path) : [path]
      guard paths.count <= limit else { throw tooMany }
    }
    var seen: Set<NameKey> = []
    if let twice = paths.first(where: { !seen.insert(NameKey($0)).inserted }) {
      throw Problem("names \(twice) twice")
    }
    return paths
  }

  /// The texts that `{from..to}` and `{one,other}` stand for, in their order.
  private static func withoutBraces(_ pattern: String) throws -> [String] {
    guard let open = pattern.unicodeScalars.firstIndex(of: "{") else { return [pattern] }
    guard let close = pattern[open...].unicodeScalars.firstIndex(of: "}") else {
      throw Problem("{ is never closed")
    }
    let inner = pattern[pattern.unicodeScalars.index(after: open)..<close]
    guard !inner.unicodeScalars.contains("{") else {
      throw Problem("braces within braces are not read")
    }
    guard let choices = try range(inner) ?? list(inner) else {
      throw Problem("expected {00000..00331} or {one,other}, found {\(inner)}")
    }
    let rest = try withoutBraces(String(pattern[pattern.unicodeScalars.index(after: close)...]))
    guard choices.count * rest.count <= limit else { throw tooMany }
    return choices.flatMap { choice in rest.map { pattern[..<open] + choice + $0 } }
  }

  private static func list(_ inner: Substring) -> [String]? {
    guard inner.unicodeScalars.contains(",") else { return nil }
    return inner.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false).map(
      String.init)
  }

  /// The numbers of `from..to`, with as many digits as the longer where one begins with 0.
  private static func range(_ inner: Substring) throws -> [String]? {
    guard let dots = inner.range(of: "..") else { return nil }
    let ends = [inner[..<dots.lowerBound], inner[dots.upperBound...]]
    let numbers = ends.compactMap { end in
      end.utf8.count <= 18 && end.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(end) : nil
    }
    guard numbers.count == 2 else { return nil }
    guard numbers[0] <= numbers[1], numbers[1] - numbers[0] < limit else {
      throw numbers[0] > numbers[1] ? Problem("the range {\(inner)} runs backwards") : tooMany
    }
    let isPadded = ends.contains { $0.count > 1 && $0.hasPrefix("0") }
    let width = isPadded ? max(ends[0].count, ends[1].count) : 0
    return (numbers[0]...numbers[1]).map { String(format: "%0*ld", width, $0) }
  }

  private static func globbed(_ path: String) throws -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    let status = FileName.withCString(path) { glob($0, GLOB_ERR, nil, &result) }
    let error = SystemError()
    guard status == 0, let names = result.gl_pathv else {
      if status == GLOB_NOSPACE { throw DatasetError(SystemError(ENOMEM), file: path) }
      if status == GLOB_ABORTED, error.isFailureOfSystem {
        throw DatasetError(error, file: path)
      }
      throw Problem(
        "nothing matches \(path)"
          + (status == GLOB_NOMATCH ? "" : ": a folder is not there or cannot be read"))
    }
    guard result.gl_pathc <= limit else { throw tooMany }
    let found = (0..<Int(result.gl_pathc)).compactMap { number in
      names[number].map { FileName.text(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
    return found.map(NameKey.init).sorted().map(\.text)
  }

  private static let tooMany = Problem("stands for more than \(limit) shards")
}
