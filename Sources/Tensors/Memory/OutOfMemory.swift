import Glibc

/// What becomes of a process that the system grants no more memory: it says so and ends with exit
/// code 1. Files are written so that such an end leaves them as they were.
enum OutOfMemory {
  /// - Parameters:
  ///   - size: The bytes that were asked for.
  ///   - inUse: The bytes that tensors hold.
  static func stop(_ size: Int, inUse: Int) -> Never {
    var message =
      "error: out of memory: a tensor needs \(mebibytes(size)), tensors hold \(mebibytes(inUse))"
    if let limit = AddressLimit.current {
      message += ", and of the limit of \(mebibytes(limit.bytes)) (\(limit.name)) "
      message += "\(mebibytes(AddressLimit.bytesInUse)) are used: raise the limit, or train"
    } else {
      message += ": free memory, or train"
    }
    message += " with a smaller training.batchSize or training.chunkSize\n"
    fflush(nil)
    _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    _exit(EXIT_FAILURE)
  }

  private static func mebibytes(_ bytes: Int) -> String {
    "\((bytes + (1 << 20) - 1) >> 20) MiB"
  }
}
