import Foundation

/// A file in the making that takes its name when it is whole, or disappears: its path shows either the
/// old content or all of the new one, even where the machine stops half-way.
///
/// It lies beside its final place until then. A link at the path is replaced, and what it leads to stays as it is.
public struct AtomicFile: ~Copyable {
  /// The name that it will have.
  public let path: String
  /// Where it lies until then.
  public let temporaryPath: String
  /// Open for reading and writing; errors speak of `path`.
  public let file: OpenFile

  /// Creates the file, empty.
  /// - Throws: `SystemFailure`.
  public init(_ path: String) throws(SystemFailure) {
    self.path = path
    let name = ".\(FilePath.name(of: path))\(Self.marker)\(UInt64.random(in: .min ... .max))"
    temporaryPath = FilePath.joined(FilePath.folder(of: path), name)
    file = try OpenFile(
      temporaryPath, flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, operation: "create", shown: path
    )
  }

  deinit { _ = FileName.withCString(temporaryPath) { unlink($0) } }

  /// Gives the file its name, in place of whatever had it, durably.
  /// - Throws: `SystemFailure`.
  public consuming func commit() throws(SystemFailure) {
    try file.synchronize()
    try AtomicFile.rename(temporaryPath, to: path)
  }

  /// Creates or replaces the file at `path` with what `body` writes.
  /// - Throws: `SystemFailure` that names `path`, or what `body` throws; then nothing is changed.
  public static func replace(_ path: String, with body: (OpenFile) throws -> Void) throws {
    let file = try AtomicFile(path)
    try body(file.file)
    try file.commit()
  }

  /// Creates or replaces the file at `path` with these bytes.
  /// - Throws: `SystemFailure`.
  public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    try replace(path) { try $0.append(Array(bytes)) }
  }

  /// Whether a file of that name is one that never became whole.
  public static func isTemporary(_ name: String) -> Bool {
    guard name.hasPrefix("."), let range = name.range(of: marker, options: .backwards) else {
      return false
    }
    let number = name[range.upperBound...]
    return !number.isEmpty && number.allSatisfy { $0.isASCII && $0.isNumber }
  }

  private static let marker = ".tmp-"

  /// Gives a file or an empty folder's place to another, durably.
  static func rename(_ path: String, to target: String) throws(SystemFailure) {
    let status = FileName.withCString(path) { path in
      FileName.withCString(target) { Foundation.rename(path, $0) }
    }
    guard status == 0 else { throw SystemFailure("create", target) }
    try FileSystem.synchronize(folder: FilePath.folder(of: target))
  }
}
