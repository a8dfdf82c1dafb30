import Foundation

/// Values as JSON on one line: keys in order, slashes as they are.
public enum JSONLine {
  /// A value, without a line's end.
  public static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// A value that holds names; see `FileName.json`.
  public static func text(
    naming names: [String], _ value: ([String]) throws -> some Encodable
  ) throws -> String {
    try FileName.json(names) { try text(value($0)) }
  }
}
