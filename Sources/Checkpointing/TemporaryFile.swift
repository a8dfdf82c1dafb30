import Foundation

/// A file that takes its final name or disappears: it is removed when it goes out of scope.
struct TemporaryFile: ~Copyable {
  /// Open for reading and writing.
  let file: OpenFile
  private let finalURL: URL

  /// Creates `.<name>.tmp-<process>` beside `finalURL`, in place of one that a dead run of the
  /// same process number left.
  init(for finalURL: URL) throws {
    let url = finalURL.deletingLastPathComponent().appendingPathComponent(
      ".\(finalURL.lastPathComponent)\(Self.marker)\(getpid())")
    unlink(url.path)
    do {
      file = try OpenFile(url, flags: O_RDWR | O_CREAT | O_EXCL, operation: "create")
    } catch CheckpointError.system(let operation, url, let code) {
      throw CheckpointError.system(operation: operation, finalURL, code: code)
    }
    self.finalURL = finalURL
  }

  deinit { unlink(file.url.path) }

  /// Renames and synchronizes the folder, so that the new name outlives a power cut.
  consuming func moveIntoPlace() throws {
    guard rename(file.url.path, finalURL.path) == 0 else {
      throw CheckpointError.system(operation: "create", finalURL, code: errno)
    }
    try OpenFile(
      finalURL.deletingLastPathComponent(), flags: O_RDONLY | O_DIRECTORY, operation: "open"
    ).synchronizeAndForget()
  }

  /// Whether `name` is one that this type gives.
  static func isName(_ name: String) -> Bool {
    guard name.hasPrefix("."), let range = name.range(of: Self.marker, options: .backwards) else {
      return false
    }
    let process = name[range.upperBound...]
    return !process.isEmpty && process.allSatisfy { $0.isASCII && $0.isNumber }
  }

  private static let marker = ".tmp-"
}
