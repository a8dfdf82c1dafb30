import Foundation

/// Why the operating system refused something: the number (`errno`), from which all else follows.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible, LocalizedError {
  public let code: Int32
  /// Whether a folder on the way to a file may not be entered, rather than the file not be read.
  public let isOfFolder: Bool

  /// - Parameter code: By default that of the call that has just failed.
  public init(_ code: Int32 = errno, isOfFolder: Bool = false) {
    self.code = code
    self.isOfFolder = isOfFolder
  }

  /// The system's words.
  public var words: String { String(cString: strerror(code)) }
  public var description: String { words }

  /// The system's words for a file that cannot be read, also of a link that leads to nothing.
  public func words(ofReading path: String) -> String {
    isAbsence && FileSystem.isLink(path) ? "it is a link to a file that is not there" : words
  }

  /// Whether nothing is there: no such name, or a file where a folder would have to be.
  public var isAbsence: Bool { code == ENOENT || code == ENOTDIR }

  /// Whether the machine, the disk or the connection to it failed, so that the error says nothing
  /// about the file and the next one may well meet the same.
  public var isFailureOfSystem: Bool {
    isForbiddenFolder || Self.advice[code] != nil
  }

  /// What a person can do; empty where there is nothing to say.
  public var advice: String {
    if let advice = Self.advice[code] { return advice }
    return isForbiddenFolder ? Self.folderAdvice : ""
  }

  private var isForbiddenFolder: Bool { isOfFolder && (code == EACCES || code == EPERM) }

  private static let folderAdvice =
    "a folder on the way to it may not be entered; see the owner and permissions"
  private static let store = "see whether the disk and the connection to it are sound"

  private static let advice: [Int32: String] = [
    EMFILE: "raise the limit by \"ulimit -n\"",
    ENFILE: "the whole machine has too many open; close programs or raise fs.file-max",
    ENOMEM: "the machine has too little memory; close programs or make batches smaller",
    ENOBUFS: "the machine has too little memory; close programs or make batches smaller",
    ENOSPC: "make room on the disk", EDQUOT: "make room on the disk",
    EIO: store, ESTALE: store, ENODEV: store, ENXIO: store, ETIMEDOUT: store, EHOSTDOWN: store,
    EHOSTUNREACH: store, ENETDOWN: store, ENETUNREACH: store, ENOTCONN: store, ECONNREFUSED: store,
    ECONNRESET: store, ECONNABORTED: store, EREMOTEIO: store, ENOLINK: store, ECOMM: store,
    EPROTO: store, ENOMEDIUM: store, EUCLEAN: store,
    ENOKEY: "the folder is encrypted and locked; unlock it",
  ]
}
