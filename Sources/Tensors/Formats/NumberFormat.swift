/// The forms in which the numbers of a weight are stored: single ones, and the blocks of GGUF, in which
/// some numbers share their scale. The raw values are GGUF's names.
///
/// Every form stands for exact float32 values; what expanding computes is rounded once at most.
/// Source of the blocks: `ggml-common.h` and `ggml-quants.c` of https://github.com/ggml-org/ggml.
public enum NumberFormat: String, Sendable, CaseIterable {
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case q40 = "Q4_0"
  case q41 = "Q4_1"
  case q50 = "Q5_0"
  case q51 = "Q5_1"
  case q80 = "Q8_0"
  case q4K = "Q4_K"
  case q5K = "Q5_K"
  case q6K = "Q6_K"

  /// How many numbers a block holds; 1 where each stands by itself.
  public var blockElements: Int { block.elements }

  /// How many bytes a block takes.
  public var blockBytes: Int { block.bytes }

  private var block: (elements: Int, bytes: Int) {
    switch self {
    case .float32: (1, 4)
    case .float16, .bfloat16: (1, 2)
    case .q40: (32, 18)
    case .q41: (32, 20)
    case .q50: (32, 22)
    case .q51: (32, 24)
    case .q80: (32, 34)
    case .q4K: (256, 144)
    case .q5K: (256, 176)
    case .q6K: (256, 210)
    }
  }

  /// The bytes of so many numbers.
  /// - Precondition: `count` is a multiple of `blockElements`.
  public func byteCount(of count: Int) -> Int {
    precondition(
      count % blockElements == 0,
      "\(rawValue) keeps \(blockElements) numbers together, which do not divide \(count)")
    return count / blockElements * blockBytes
  }

  /// Writes stored numbers as float32.
  /// - Parameters:
  ///   - bytes: `byteCount(of: count)` bytes, at any address.
  ///   - count: A multiple of `blockElements`.
  ///   - target: `count` places.
  public func expand(
    _ bytes: UnsafeRawPointer, count: Int, into target: UnsafeMutablePointer<Float>
  ) {
    let byteCount = byteCount(of: count)
    switch self {
    case .float32: UnsafeMutableRawPointer(target).copyMemory(from: bytes, byteCount: byteCount)
    case .float16: Float16.expand(bytes, count: count, into: target)
    case .bfloat16: BFloat16.expand(bytes, count: count, into: target)
    case .q40: forEachBlock(bytes, count, target) { expandQ40($0, into: $1) }
    case .q41: forEachBlock(bytes, count, target) { expandQ41($0, into: $1) }
    case .q50: forEachBlock(bytes, count, target) { expandQ50($0, into: $1) }
    case .q51: forEachBlock(bytes, count, target) { expandQ51($0, into: $1) }
    case .q80: forEachBlock(bytes, count, target) { expandQ80($0, into: $1) }
    case .q4K: forEachBlock(bytes, count, target) { expandQ4K($0, into: $1) }
    case .q5K: forEachBlock(bytes, count, target) { expandQ5K($0, into: $1) }
    case .q6K: forEachBlock(bytes, count, target) { expandQ6K($0, into: $1) }
    }
  }

  @inline(__always)
  private func forEachBlock(
    _ bytes: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutablePointer<Float>,
    _ expand: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
  ) {
    let (elements, size) = (blockElements, blockBytes)
    for block in 0..<count / elements {
      expand(bytes + block &* size, target + block &* elements)
    }
  }
}
