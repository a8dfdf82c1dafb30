import Foundation

/// The descriptors 0, 1 and 2, which a parent may have closed. The next file to be opened would get
/// such a number, and messages would be written into a checkpoint.
enum StandardDescriptors {
  /// Opens `/dev/null` in place of those that are closed. Call it before any file is opened.
  static func fillGaps() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest number that is free is given, and those below are taken.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
    }
  }

  /// Lets what is printed from now on go nowhere.
  static func dropOutput() {
    let nowhere = open("/dev/null", O_WRONLY)
    guard nowhere >= 0 else { return }
    dup2(nowhere, STDOUT_FILENO)
    close(nowhere)
  }
}
