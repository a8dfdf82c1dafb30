import Synchronization
import Tensors

/// A tensor that remembers how it was computed, if a gradient of it may be wanted.
///
/// A variable computed from frozen parts alone has no node: it records nothing and keeps nothing.
public final class Variable {
  public let value: Tensor
  let node: GradientNode?
  /// The value in bfloat16, once a product asked for it: several maps may read one input.
  private var rounded: ProductFactor?

  /// A constant: no gradient reaches it.
  public init(_ value: Tensor) {
    self.value = value
    node = nil
  }

  init(_ value: Tensor, node: GradientNode?) {
    self.value = value
    self.node = node
  }

  /// A variable whose gradient the caller wants, such as an input under test.
  public static func leaf(_ value: Tensor) -> Variable {
    Variable(value, leaf: Leaf(shape: value.shape))
  }

  /// A leaf's variable with the value that it has now.
  public init(_ value: Tensor, leaf: Leaf) {
    precondition(
      value.shape == leaf.node.shape,
      "a value of shape \(value.shape) for a leaf of shape \(leaf.node.shape)")
    self.value = value
    node = Recording.isEnabled ? leaf.node : nil
  }

  public var shape: [Int] { value.shape }

  /// Whether a gradient flows through this variable.
  public var needsGradient: Bool { node != nil }

  /// The value as a weight multiplies it.
  func factor(for weight: Weight) -> ProductFactor {
    if let rounded, weight.matrix is BFloat16Weight { return rounded }
    let factor = weight.matrix.factor(value)
    if case .bfloat16 = factor { rounded = factor }
    return factor
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

/// Whether operations record what a backward pass needs.
public enum Recording {
  /// Belongs to the thread or task that asks, so that one can evaluate while another trains.
  @TaskLocal static var isEnabled = true

  /// Runs the body without recording anything, as evaluation wants it.
  public static func disabled<Result>(_ body: () throws -> Result) rethrows -> Result {
    try $isEnabled.withValue(false, operation: body)
  }
}

/// One step of the computation: what to do with the gradient of its result.
final class GradientNode {
  typealias Pullback = (_ dy: Tensor, _ gradients: Gradients) -> Void

  /// The order in which nodes were made; results come after what they were computed from.
  let order: Int
  let shape: [Int]
  /// The operation's function, for profiles.
  let operation: StaticString
  private(set) var parents: [GradientNode]
  private var pullback: Pullback?

  private static let lastOrder = Atomic<Int>(0)

  init(
    shape: [Int], parents: [GradientNode] = [], operation: StaticString = #function,
    pullback: Pullback? = nil
  ) {
    order = GradientNode.lastOrder.wrappingAdd(1, ordering: .relaxed).newValue
    self.shape = shape
    self.operation = operation
    self.parents = parents
    self.pullback = pullback
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
    Profile.mark(
      operation, .forward,
      bytes: (y.count + parents.reduce(0) { $0 + ($1?.value.count ?? 0) })
        * MemoryLayout<Float>.stride)
    let nodes = parents.compactMap { $0?.node }
    if nodes.isEmpty { return Variable(y) }
    return Variable(
      y,
      node: GradientNode(
        shape: y.shape, parents: nodes, operation: operation, pullback: pullback))
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
