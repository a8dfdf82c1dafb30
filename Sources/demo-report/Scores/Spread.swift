import Foundation

/// One number of several runs: their mean, the lowest and the highest.
struct Spread: Equatable {
  let values: [Double]

  /// - Parameters:
  ///   - files: JSON objects, one a line or one a file, as `--json` prints them or `metrics.jsonl`
  ///     holds them. Of each file the last object counts that has the number.
  ///   - key: A name, or names of objects within objects with dots between them.
  /// - Throws: ``InputError``, also where some files have the number and others do not.
  init(of key: String, in files: [String]) throws {
    let found = try files.map { file in
      try InputFile(path: file).records(Member.self).compactMap { $0.record.number(key) }.last
    }
    if let missing = found.firstIndex(of: nil), found.contains(where: { $0 != nil }) {
      throw InputError(
        file: files[missing], field: key, problem: "is missing, though other files have it")
    }
    values = found.compactMap { $0 }
  }

  /// "97.3 (96.7–98.0)", or a dash where there is no number.
  func text(digits: Int) -> String {
    guard let lowest = values.min(), let highest = values.max() else { return "–" }
    func rounded(_ value: Double) -> String { String(format: "%.\(digits)f", value) }
    let mean = values.reduce(0, +) / Double(values.count)
    return "\(rounded(mean)) (\(rounded(lowest))–\(rounded(highest)))"
  }
}

/// What a JSON object's name stands for, as far as numbers are looked for in it.
private enum Member: Decodable {
  case number(Double)
  case object([String: Member])
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let object = try? container.decode([String: Member].self) {
      self = .object(object)
    } else {
      self = .other
    }
  }

  /// Names may hold dots themselves, as those of `metrics.jsonl` do.
  func number(_ key: some StringProtocol) -> Double? {
    guard case .object(let members) = self else { return nil }
    if case .number(let number) = members[String(key)] { return number }
    guard let dot = key.firstIndex(of: ".") else { return nil }
    return members[String(key[..<dot])]?.number(key[key.index(after: dot)...])
  }
}
