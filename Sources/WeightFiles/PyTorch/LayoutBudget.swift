/// How much memory all tensors of a file together may take, held against the file's size: many that
/// share one storage, or repeat its elements, could make much out of a small file.
struct LayoutBudget {
  /// What is allowed beyond a multiple of the file's size, in bytes.
  static let allowance = 64 << 20
  /// float32 takes four bytes for one of the file's; as much again for tensors that share storages.
  static let widening = 8

  private let fileSize: Int
  private var copiedByteCount = 0
  private var floatByteCount = 0

  init(fileSize: Int) {
    self.fileSize = fileSize
  }

  /// - Throws: `FormatProblem` for the tensor with which it is too much.
  mutating func add(_ layout: TensorLayout, named name: String) throws {
    // Sums stay far below overflow: each was within its bound, and a tensor takes at most what the
    // file or the allowance has.
    if layout.contiguousRange == nil {
      copiedByteCount += layout.elementCount * layout.elementType.byteCount
    }
    floatByteCount += layout.elementCount * 4
    try require(copiedByteCount, most: fileSize + Self.allowance, "copied for strides", name)
    try require(floatByteCount, most: Self.widening * fileSize + Self.allowance, "as F32", name)
  }

  private func require(_ count: Int, most: Int, _ purpose: String, _ name: String) throws {
    guard count <= most else {
      throw damaged(
        tensor: name, "at most \(most) bytes \(purpose) for all tensors up to this one",
        "\(count)")
    }
  }
}
