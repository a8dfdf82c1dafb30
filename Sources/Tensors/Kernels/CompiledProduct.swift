import COneDNN
import Synchronization

/// The code that oneDNN made for products of one shape; any thread may run it.
final class CompiledProduct: @unchecked Sendable {
  private let primitive: dnnl_primitive_t
  private let stream: dnnl_stream_t
  private let descriptions: [(place: Int32, description: dnnl_memory_desc_t)]
  private let scratchBytes: Int
  /// Sets of arguments that no thread uses now.
  private let free = Mutex<[Arguments]>([])

  /// The objects through which one call at a time names its memory.
  private final class Arguments: @unchecked Sendable {
    var list: [dnnl_exec_arg_t]

    init(_ list: [dnnl_exec_arg_t]) { self.list = list }

    deinit { for argument in list { dnnl_memory_destroy(argument.memory) } }
  }

  init(_ shape: OneDNN.Shape) {
    OneDNN.useOneThread()
    func line(_ stride: Int) -> OneDNN.Strides { .init(stride: stride, isTransposed: false) }
    var a = CompiledProduct.matrix(shape.rows, shape.inner, shape.a, shape.precision)
    var b = CompiledProduct.matrix(shape.inner, shape.columns, shape.b, shape.precision)
    var c = CompiledProduct.matrix(
      shape.rows, shape.columns, line(shape.cStride), shape.result)
    let bias = CompiledProduct.matrix(1, shape.columns, line(shape.columns), .float32)
    var product = dnnl_matmul_desc_t()
    withUnsafePointer(to: bias) { bias in
      OneDNN.check(
        dnnl_matmul_desc_init(&product, &a, &b, shape.hasBias ? bias : nil, &c), "\(shape)")
    }
    let attributes = CompiledProduct.attributes(adds: shape.adds)
    let description: dnnl_primitive_desc_t = OneDNN.made("\(shape)") {
      dnnl_primitive_desc_create(&$0, &product, attributes, OneDNN.engine, nil)
    }
    primitive = OneDNN.made("\(shape)") { dnnl_primitive_create(&$0, description) }
    stream = OneDNN.made("a stream") {
      dnnl_stream_create(&$0, OneDNN.engine, UInt32(dnnl_stream_default_flags.rawValue))
    }
    guard let scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0)
    else { fatalError("oneDNN gave no code for \(shape)") }
    scratchBytes = dnnl_memory_desc_get_size(scratch)
    var descriptions = [
      (DNNL_ARG_SRC, a), (DNNL_ARG_WEIGHTS, b), (DNNL_ARG_DST, c),
      (DNNL_ARG_SCRATCHPAD, scratch.pointee),
    ]
    if shape.hasBias { descriptions.append((DNNL_ARG_BIAS, bias)) }
    self.descriptions = descriptions
    dnnl_primitive_desc_destroy(description)
    dnnl_primitive_attr_destroy(attributes)
  }

  deinit {
    dnnl_primitive_destroy(primitive)
    dnnl_stream_destroy(stream)
  }

  /// - Parameter bias: One number for each column, where the shape has it.
  func run(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, bias: UnsafePointer<Float>? = nil,
    into c: UnsafeMutableRawPointer
  ) {
    OneDNN.useOneThread()
    let space = Storage(count: scratchBytes / MemoryLayout<Float>.stride + 1)
    let arguments = free.withLock { $0.popLast() } ?? newArguments()
    withExtendedLifetime((self, space)) {
      let pointers: [UnsafeMutableRawPointer?] = [
        UnsafeMutableRawPointer(mutating: a), UnsafeMutableRawPointer(mutating: b), c,
        UnsafeMutableRawPointer(space.pointer),
        bias.map { UnsafeMutableRawPointer(mutating: $0) },
      ]
      for (argument, pointer) in zip(arguments.list, pointers) {
        OneDNN.check(dnnl_memory_set_data_handle(argument.memory, pointer), "memory")
      }
      OneDNN.withoutSignals {
        OneDNN.check(
          dnnl_primitive_execute(
            primitive, stream, Int32(arguments.list.count), &arguments.list), "a product")
      }
    }
    free.withLock { $0.append(arguments) }
  }

  private func newArguments() -> Arguments {
    Arguments(
      descriptions.map { place, description in
        let memory: dnnl_memory_t = OneDNN.made("memory") { memory in
          withUnsafePointer(to: description) {
            dnnl_memory_create(&memory, $0, OneDNN.engine, nil)
          }
        }
        return dnnl_exec_arg_t(arg: place, memory: memory)
      })
  }

  // MARK: What is asked of oneDNN

  private static func matrix(
    _ rows: Int, _ columns: Int, _ strides: OneDNN.Strides, _ precision: ProductPrecision
  ) -> dnnl_memory_desc_t {
    var matrix = dnnl_memory_desc_t()
    OneDNN.check(
      dnnl_memory_desc_init_by_strides(
        &matrix, 2, [Int64(rows), Int64(columns)], precision == .float32 ? dnnl_f32 : dnnl_bf16,
        [Int64(strides.row), Int64(strides.column)]),
      "a matrix [\(rows), \(columns)] with \(strides)")
    return matrix
  }

  private static func attributes(adds: Bool) -> dnnl_primitive_attr_t {
    let attributes: dnnl_primitive_attr_t = OneDNN.made("attributes") {
      dnnl_primitive_attr_create(&$0)
    }
    // Its own memory would tie the code to one thread.
    OneDNN.check(
      dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "attributes")
    guard adds else { return attributes }
    let sums: dnnl_post_ops_t = OneDNN.made("a sum") { dnnl_post_ops_create(&$0) }
    OneDNN.check(dnnl_post_ops_append_sum(sums, 1), "a sum")
    OneDNN.check(dnnl_primitive_attr_set_post_ops(attributes, sums), "a sum")
    dnnl_post_ops_destroy(sums)
    return attributes
  }
}
