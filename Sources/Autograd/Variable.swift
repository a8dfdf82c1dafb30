import Synchronization
import Tensors

/// A tensor that remembers how it was computed, if a gradient of it may be wanted.
///
/// A variable computed from frozen parts alone has no node: it records nothing and keeps nothing.
/// What only products read may be kept in bfloat16, if they multiply in it; its gradient then is too.
public final class Variable {
  public let shape: [Int]
  /// The values in the form in which they are kept.
  let kept: Operand
  let node: GradientNode?
  /// The value in bfloat16, all axes but the last taken as one, once a product asked for it: several
  /// maps may read one input.
  private(set) var rounded: BFloat16Matrix?

  /// A constant: no gradient reaches it.
  public convenience init(_ value: Tensor) {
    self.init(value, node: nil)
  }

  convenience init(_ value: Tensor, node: GradientNode?) {
    self.init(.float32(value), shape: value.shape, node: node)
  }

  init(
    _ kept: Operand, shape: [Int], rounded: BFloat16Matrix? = nil, node: GradientNode?
  ) {
    self.kept = kept
    self.rounded = rounded
    self.shape = shape
    self.node = node
  }

  /// The values, `shape`; made anew at each call if they are kept in bfloat16.
  public var value: Tensor { kept.tensor(shape) }

  /// The product of all axes but the last.
  var rowCount: Int { shape.dropLast().reduce(1, *) }

  /// The number of places along the last axis; 1 for shape [].
  var width: Int { shape.last ?? 1 }

  /// Whether the values are kept in bfloat16.
  var isRounded: Bool { kept.precision == .bfloat16 }

  /// A variable whose gradient the caller wants, such as an input under test.
  public static func leaf(_ value: Tensor) -> Variable {
    Variable(value, leaf: Leaf(shape: value.shape))
  }

  /// A leaf's variable with the value that it has now.
  public convenience init(_ value: Tensor, leaf: Leaf) {
    precondition(
      value.shape == leaf.node.shape,
      "a value of shape \(value.shape) for a leaf of shape \(leaf.node.shape)")
    self.init(value, node: Recording.isEnabled ? leaf.node : nil)
  }

  /// Whether a gradient flows through this variable.
  public var needsGradient: Bool { node != nil }

  /// The value as a weight multiplies it.
  func factor(for weight: Weight) -> Operand {
    // For a few rows that no gradient passes, rounding would cost more than it saves.
    if node == nil, weight.variable == nil, rowCount <= BFloat16Weight.fewRows { return kept }
    return weight.matrix is BFloat16Weight
      ? .bfloat16(inBFloat16) : weight.matrix.factor(kept)
  }

  /// The values in bfloat16, all axes but the last taken as one.
  var inBFloat16: BFloat16Matrix {
    let matrix = rounded ?? kept.rounded
    rounded = matrix
    return matrix
  }

  /// The same value without its history: no gradient passes.
  public var detached: Variable { Variable(value) }
}

/// What a gradient is kept for: a trained parameter, whose value changes from step to step.
public final class Leaf {
  let node: GradientNode

  public init(shape: [Int]) {
    node = GradientNode(shape: shape)
  }
}

/// Whether operations are recorded; belongs to the thread or task that asks, so that one can evaluate
/// while another trains.
enum Recording {
  @TaskLocal static var isEnabled = true
}

/// Runs the body without recording anything, as evaluation wants it.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.$isEnabled.withValue(false, operation: body)
}

/// One step of the computation: what to do with the gradient of its result.
final class GradientNode {
  typealias Pullback = (_ dy: Operand, _ gradients: Gradients) -> Void

  /// The order in which nodes were made; results come after what they were computed from.
  let order: Int
  let shape: [Int]
  /// Whether the value is kept in bfloat16, and the gradient too.
  let isRounded: Bool
  /// The operation's function, for profiles.
  let operation: StaticString
  private(set) var parents: [GradientNode]
  private var pullback: Pullback?

  private static let lastOrder = Atomic<Int>(0)

  init(
    shape: [Int], isRounded: Bool = false, parents: [GradientNode] = [],
    operation: StaticString = #function, pullback: Pullback? = nil
  ) {
    order = GradientNode.lastOrder.wrappingAdd(1, ordering: .relaxed).newValue
    self.shape = shape
    self.isRounded = isRounded
    self.operation = operation
    self.parents = parents
    self.pullback = pullback
  }

  /// A node without history whose gradient is that of another: both have one place in the store.
  init(standingFor node: GradientNode) {
    order = node.order
    shape = node.shape
    isRounded = node.isRounded
    operation = node.operation
    parents = []
  }

  /// Hands out the pullback once; the node then holds on to nothing.
  func takePullback() -> Pullback? {
    defer {
      pullback = nil
      parents = []
    }
    return pullback
  }
}

extension Variable {
  /// The result `y` of an operation, with what its gradient does.
  ///
  /// Nothing is recorded, and the closure is dropped at once with all that it captured, if none of
  /// the parents needs a gradient.
  /// - Parameters:
  ///   - operation: The operation's function, for profiles.
  ///   - pullback: Adds to the parents' gradients, given the result's.
  static func recording(
    _ y: Tensor, from parents: [Variable?], operation: StaticString = #function,
    _ pullback: @escaping (_ dy: Tensor, _ gradients: Gradients) -> Void
  ) -> Variable {
    let shape = y.shape
    return recording(
      .float32(y), shape: shape, from: parents, operation: operation
    ) { dy, gradients in pullback(dy.tensor(shape), gradients) }
  }

  /// The result of an operation in the form in which it is kept, which that of its gradient may be as
  /// well.
  /// - Parameters:
  ///   - shape: The result's.
  ///   - rounded: The result in bfloat16, where the operation made it on the way.
  static func recording(
    _ y: Operand, shape: [Int], rounded: BFloat16Matrix? = nil, from parents: [Variable?],
    operation: StaticString = #function,
    _ pullback: @escaping (_ dy: Operand, _ gradients: Gradients) -> Void
  ) -> Variable {
    Profile.mark(
      operation, .forward,
      bytes: (shape.reduce(1, *) + parents.reduce(0) { $0 + ($1?.shape.reduce(1, *) ?? 0) })
        * MemoryLayout<Float>.stride)
    let nodes = parents.compactMap { $0?.node }
    if nodes.isEmpty { return Variable(y, shape: shape, rounded: rounded, node: nil) }
    return Variable(
      y, shape: shape, rounded: rounded,
      node: GradientNode(
        shape: shape, isRounded: y.precision == .bfloat16, parents: nodes, operation: operation,
        pullback: pullback))
  }

  /// The result of an operation on one variable, whose gradient the closure returns.
  static func recording(
    _ y: Tensor, from x: Variable, operation: StaticString = #function,
    _ pullback: @escaping (_ dy: Tensor) -> Tensor
  ) -> Variable {
    let node = x.node
    return recording(y, from: [x], operation: operation) { dy, gradients in
      gradients.add(pullback(dy), to: node)
    }
  }
}

extension GradientNode {
  /// The bytes of an elementwise pullback: its gradient and each parent's, and what each parent held.
  var gradientBytes: Int {
    (shape.reduce(1, *) + parents.reduce(0) { $0 + 2 * $1.shape.reduce(1, *) })
      * MemoryLayout<Float>.stride
  }
}
