import Foundation

/// The rights of a user who owns nothing, to whom permissions apply.
public enum FileAccess {
  /// Runs `body`, on this thread alone, with the rights that an ordinary user has to others' files. A
  /// process that is not root's keeps its own.
  @discardableResult
  public static func ofNobody<Result>(_ body: () throws -> Result) throws -> Result {
    guard geteuid() == 0 else { return try body() }
    let nobody: UInt32 = 65534
    setFileUser(nobody)
    defer { setFileUser(0) }
    return try body()
  }

  /// `setfsuid`, which the system's module map leaves out.
  private static func setFileUser(_ user: UInt32) {
    typealias Function = @convention(c) (UInt32) -> Int32
    guard let symbol = dlsym(nil, "setfsuid") else { preconditionFailure("no setfsuid") }
    _ = unsafeBitCast(symbol, to: Function.self)(user)
  }
}
