import COneDNN
import Glibc
import Synchronization

/// Matrix products by oneDNN, each on the calling thread alone, as `Parallel` wants it.
enum OneDNN {
  /// Whether the processor has what makes oneDNN's float32 products faster than OpenBLAS's: AVX-512.
  static let isFastInFloat32 = has(dnnl_cpu_isa_avx512_core)

  /// Whether the processor multiplies bfloat16 itself.
  static let multipliesBFloat16 = has(dnnl_cpu_isa_avx512_core_bf16)

  /// Whether the processor has AMX, whose products of matrices oneDNN uses.
  static let hasMatrixUnit = has(dnnl_cpu_isa_avx512_core_amx)

  /// `ONEDNN_MAX_CPU_ISA` in the environment counts: oneDNN then does without what is above it.
  private static func has(_ set: dnnl_cpu_isa_t) -> Bool {
    dnnl_get_effective_cpu_isa().rawValue & set.rawValue == set.rawValue
  }

  /// How one of a product's factors lies in memory.
  struct Strides: Hashable {
    /// Values from row to row, and from column to column.
    let row: Int
    let column: Int

    /// - Parameter stride: Values from row to row of the matrix that is read, or read transposed.
    init(stride: Int, isTransposed: Bool) {
      (row, column) = isTransposed ? (1, stride) : (stride, 1)
    }
  }

  /// C = A · B, A · B + bias or C + A · B: all that decides which code is made for it.
  struct Shape: Hashable {
    var rows: Int
    var inner: Int
    var columns: Int
    var a: Strides
    var b: Strides
    var cStride: Int
    /// Whether the product is added to C.
    var adds: Bool
    /// Whether a row of numbers is added to every row of C.
    var hasBias = false
    /// The kind of A's and B's numbers; sums are float32.
    var precision: ProductPrecision
    /// The kind of C's numbers.
    var result = ProductPrecision.float32
  }

  // MARK: Code made for shapes

  /// Cuts rows into a multiple of 128, a multiple of 16 and the rest.
  static func parts(of rows: Int) -> [Range<Int>] {
    let ends = [rows / 128 * 128, rows / 16 * 16, rows]
    return zip([0] + ends, ends).compactMap { $0 < $1 ? $0..<$1 : nil }
  }

  static let engine: dnnl_engine_t = made("an engine") { dnnl_engine_create(&$0, dnnl_cpu, 0) }

  private static let products = Mutex<[Shape: CompiledProduct]>([:])
  /// Texts of all lengths make shapes without end.
  private static let mostProducts = 4096

  static func product(_ shape: Shape) -> CompiledProduct {
    products.withLock { products in
      if let product = products[shape] { return product }
      if products.count >= mostProducts { products.removeAll() }
      let product = CompiledProduct(shape)
      products[shape] = product
      return product
    }
  }

  /// Holds oneDNN to the calling thread: its library of threads, OpenMP, is asked for one, each time
  /// because the number belongs to the thread that asks.
  static func useOneThread() { setThreadCount?(1) }

  private static let setThreadCount: (@convention(c) (Int32) -> Void)? = {
    guard let symbol = dlsym(nil, "omp_set_num_threads") else { return nil }
    return unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)
  }()

  /// Puts off signals to the calling thread.
  ///
  /// A signal that arrives within some of oneDNN 2.6's float32 code destroys a matrix or the heap, as
  /// if the code used the stack pointer, where the system puts a signal's frame, for other ends.
  static func withoutSignals(_ body: () -> Void) {
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    body()
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  /// A call of oneDNN fails only where this program asks for what does not exist, or without memory.
  static func check(_ status: dnnl_status_t, _ what: @autoclosure () -> String) {
    if status != dnnl_success { fatalError("oneDNN could not make \(what()): \(status.rawValue)") }
  }

  /// What a call of oneDNN makes.
  static func made<Object>(
    _ what: @autoclosure () -> String, _ make: (inout Object?) -> dnnl_status_t
  ) -> Object {
    var object: Object?
    check(make(&object), what())
    guard let object else { fatalError("oneDNN made nothing of \(what())") }
    return object
  }
}

extension BLAS {
  /// The version of the library that large products go to.
  public static var oneDNNVersion: String? {
    dnnl_version().map { "\($0.pointee.major).\($0.pointee.minor).\($0.pointee.patch)" }
  }
}
