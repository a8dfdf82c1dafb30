import COneDNN
import Glibc
import Synchronization

/// Matrix products by oneDNN, each on the calling thread alone, as `Parallel` wants it.
enum OneDNN {
  /// Whether the processor has what makes oneDNN's float32 products faster than OpenBLAS's: AVX-512.
  static let isFastInFloat32 = has(dnnl_cpu_isa_avx512_core)

  /// Whether the processor multiplies bfloat16 itself.
  static let multipliesBFloat16 = has(dnnl_cpu_isa_avx512_core_bf16)

  /// `ONEDNN_MAX_CPU_ISA` in the environment counts: oneDNN then does without what is above it.
  private static func has(_ set: dnnl_cpu_isa_t) -> Bool {
    dnnl_get_effective_cpu_isa().rawValue & set.rawValue == set.rawValue
  }

  /// How one of a product's factors lies in memory.
  struct Strides: Hashable {
    /// Values from row to row, and from column to column.
    var row: Int
    var column: Int
  }

  /// C = A · B, or C + A · B: all that decides which code is made for it.
  struct Shape: Hashable {
    var rows: Int
    var inner: Int
    var columns: Int
    var a: Strides
    var b: Strides
    var cStride: Int
    /// Whether the product is added to C.
    var adds: Bool
    /// The kind of A's and B's numbers; C is float32, and so are the sums.
    var precision: ProductPrecision
  }

  // MARK: Code made for shapes

  fileprivate static let engine: dnnl_engine_t = {
    var engine: dnnl_engine_t?
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "an engine")
    guard let engine else { fatalError("oneDNN has no engine for this processor") }
    return engine
  }()

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
  fileprivate static func useOneThread() { setThreadCount?(1) }

  private static let setThreadCount: (@convention(c) (Int32) -> Void)? = {
    guard let symbol = dlsym(nil, "omp_set_num_threads") else { return nil }
    return unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)
  }()

  /// Puts off signals to the calling thread.
  ///
  /// A signal that arrives within some of oneDNN 2.6's float32 code destroys a matrix or the heap, as
  /// if the code used the stack pointer, where the system puts a signal's frame, for other ends.
  fileprivate static func withoutSignals(_ body: () -> Void) {
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    body()
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  /// A call of oneDNN fails only where this program asks for what does not exist, or without memory.
  fileprivate static func check(_ status: dnnl_status_t, _ what: @autoclosure () -> String) {
    if status != dnnl_success { fatalError("oneDNN could not make \(what()): \(status.rawValue)") }
  }
}

extension BLAS {
  /// The version of the library that large products go to.
  public static var oneDNNVersion: String? {
    dnnl_version().map { "\($0.pointee.major).\($0.pointee.minor).\($0.pointee.patch)" }
  }
}

/// The code that oneDNN made for products of one shape; any thread may run it.
final class CompiledProduct: @unchecked Sendable {
  private let primitive: dnnl_primitive_t
  private let stream: dnnl_stream_t
  private let a: dnnl_memory_desc_t
  private let b: dnnl_memory_desc_t
  private let c: dnnl_memory_desc_t
  private let scratch: dnnl_memory_desc_t
  private let scratchBytes: Int

  fileprivate init(_ shape: OneDNN.Shape) {
    OneDNN.useOneThread()
    func describe(
      _ rows: Int, _ columns: Int, _ strides: OneDNN.Strides, _ precision: ProductPrecision
    ) -> dnnl_memory_desc_t {
      var description = dnnl_memory_desc_t()
      let (sizes, steps) = (
        [Int64(rows), Int64(columns)], [Int64(strides.row), Int64(strides.column)]
      )
      OneDNN.check(
        dnnl_memory_desc_init_by_strides(
          &description, 2, sizes, precision == .float32 ? dnnl_f32 : dnnl_bf16, steps), "\(shape)")
      return description
    }
    var a = describe(shape.rows, shape.inner, shape.a, shape.precision)
    var b = describe(shape.inner, shape.columns, shape.b, shape.precision)
    var c = describe(shape.rows, shape.columns, .init(row: shape.cStride, column: 1), .float32)
    var product = dnnl_matmul_desc_t()
    OneDNN.check(dnnl_matmul_desc_init(&product, &a, &b, nil, &c), "\(shape)")

    var attributes: dnnl_primitive_attr_t?
    OneDNN.check(dnnl_primitive_attr_create(&attributes), "attributes")
    // Its own memory would tie the code to one thread.
    OneDNN.check(
      dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "attributes")
    if shape.adds {
      var sums: dnnl_post_ops_t?
      OneDNN.check(dnnl_post_ops_create(&sums), "a sum")
      OneDNN.check(dnnl_post_ops_append_sum(sums, 1), "a sum")
      OneDNN.check(dnnl_primitive_attr_set_post_ops(attributes, sums), "a sum")
      dnnl_post_ops_destroy(sums)
    }
    var description: dnnl_primitive_desc_t?
    OneDNN.check(
      dnnl_primitive_desc_create(&description, &product, attributes, OneDNN.engine, nil),
      "\(shape)")
    var primitive: dnnl_primitive_t?
    OneDNN.check(dnnl_primitive_create(&primitive, description), "\(shape)")
    guard let primitive,
      let memory = dnnl_primitive_desc_query_md(
        description, dnnl_query_scratchpad_md, 0)
    else { fatalError("oneDNN gave no code for \(shape)") }
    self.primitive = primitive
    (self.a, self.b, self.c, scratch) = (a, b, c, memory.pointee)
    scratchBytes = dnnl_memory_desc_get_size(memory)
    dnnl_primitive_desc_destroy(description)
    dnnl_primitive_attr_destroy(attributes)
    var stream: dnnl_stream_t?
    OneDNN.check(
      dnnl_stream_create(&stream, OneDNN.engine, UInt32(dnnl_stream_default_flags.rawValue)),
      "a stream")
    guard let stream else { fatalError("oneDNN gave no stream") }
    self.stream = stream
  }

  deinit {
    dnnl_primitive_destroy(primitive)
    dnnl_stream_destroy(stream)
  }

  func run(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, into c: UnsafeMutablePointer<Float>
  ) {
    OneDNN.useOneThread()
    let space = Storage(count: scratchBytes / MemoryLayout<Float>.stride + 1)
    withExtendedLifetime((self, space)) {
      var arguments = [
        memory(self.a, UnsafeMutableRawPointer(mutating: a), DNNL_ARG_SRC),
        memory(self.b, UnsafeMutableRawPointer(mutating: b), DNNL_ARG_WEIGHTS),
        memory(self.c, UnsafeMutableRawPointer(c), DNNL_ARG_DST),
        memory(scratch, UnsafeMutableRawPointer(space.pointer), DNNL_ARG_SCRATCHPAD),
      ]
      OneDNN.withoutSignals {
        OneDNN.check(
          dnnl_primitive_execute(primitive, stream, Int32(arguments.count), &arguments),
          "a product")
      }
      for argument in arguments { dnnl_memory_destroy(argument.memory) }
    }
  }

  private func memory(
    _ description: dnnl_memory_desc_t, _ pointer: UnsafeMutableRawPointer, _ place: Int32
  ) -> dnnl_exec_arg_t {
    var memory: dnnl_memory_t?
    withUnsafePointer(to: description) {
      OneDNN.check(dnnl_memory_create(&memory, $0, OneDNN.engine, pointer), "memory")
    }
    return dnnl_exec_arg_t(arg: place, memory: memory)
  }
}
