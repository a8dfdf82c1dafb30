import Tensors

/// The gradients of one backward pass, or of several added up, by the variable they belong to.
///
/// They live here and not on the variables, so that a model can serve several passes at once.
public final class Gradients {
  private var store: [Int: Operand] = [:]

  public init() {}

  /// The gradient of a leaf variable, of its shape; nil if none has reached it.
  public subscript(variable: Variable) -> Tensor? {
    variable.node.flatMap { node in store[node.order]?.tensor(node.shape) }
  }

  /// The gradient of a leaf, of its shape; nil if none has reached it.
  public subscript(leaf: Leaf) -> Tensor? {
    get { store[leaf.node.order]?.tensor(leaf.node.shape) }
    set { store[leaf.node.order] = newValue.map { .float32($0) } }
  }

  /// Runs backwards from a loss of shape [] and adds the gradients of all leaves to this store.
  ///
  /// Each operation frees what it kept as soon as its gradient is known, so a loss can be run
  /// backwards once.
  /// - Parameter weight: What the loss counts for, such as 1/N with N micro-batches.
  public func addBackward(from loss: Variable, weight: Float = 1) {
    addBackward(from: loss, gradient: Tensor(repeating: weight, shape: loss.shape))
  }

  /// Runs backwards from a variable with a given gradient of its shape.
  public func addBackward(from result: Variable, gradient: Tensor) {
    addBackward(from: [(result, gradient)])
  }

  /// Runs backwards once from several variables, each with a given gradient of its shape: what they
  /// have in common is gone through once.
  public func addBackward(from results: [(variable: Variable, gradient: Tensor)]) {
    runBackward(
      from: results.compactMap { variable, gradient in
        precondition(
          gradient.shape == variable.shape,
          "a gradient of shape \(gradient.shape) for a variable of shape \(variable.shape)")
        return variable.node.map { ($0, .float32(gradient)) }
      })
  }

  /// - Parameter start: A node before which there may be no operation; nil for none.
  func runBackward(
    from roots: [(node: GradientNode, gradient: Operand)],
    madeAfter start: GradientNode? = nil
  ) {
    for root in roots { addFactor(root.gradient, to: root.node) }
    for node in Gradients.reachable(from: roots.map(\.node)) {
      let bytes = Profile.isOn ? node.gradientBytes : 0
      guard let pullback = node.takePullback(), let dy = store.removeValue(forKey: node.order)
      else { continue }
      precondition(
        node.order > start?.order ?? 0, "a recomputed body uses a variable that is no input of it")
      pullback(dy, self)
      Profile.mark(node.operation, .backward, bytes: bytes)
    }
  }

  /// The roots and all nodes that they were computed from, later ones first.
  private static func reachable(from roots: [GradientNode]) -> [GradientNode] {
    var seen: Set<Int> = []
    var pending = roots.filter { seen.insert($0.order).inserted }
    var nodes: [GradientNode] = []
    while let node = pending.popLast() {
      nodes.append(node)
      for parent in node.parents where seen.insert(parent.order).inserted {
        pending.append(parent)
      }
    }
    return nodes.sorted { $0.order > $1.order }
  }

  // MARK: What operations add

  /// Adds a gradient of the node's count of values; without a node nothing is computed.
  ///
  /// Operations name nodes, not variables, where the variable's value is not needed: a pullback that
  /// held the variable would keep its value in memory.
  func add(_ gradient: @autoclosure () -> Tensor, to node: GradientNode?) {
    guard let node else { return }
    addFactor(.float32(gradient().reshaped(node.shape)), to: node)
  }

  /// Adds a gradient in either form. The first one is kept as it is; sums are float32.
  func addFactor(_ gradient: @autoclosure () -> Operand, to node: GradientNode?) {
    guard let node else { return }
    let gradient = gradient()
    if var sum = take(node) {
      sum.add(gradient.tensor(node.shape))
      store[node.order] = .float32(sum)
    } else {
      store[node.order] = node.isRounded ? gradient : .float32(gradient.tensor(node.shape))
    }
  }

  /// Takes a node's sum out of the store, so that it can be changed where it lies.
  private func take(_ node: GradientNode) -> Tensor? {
    store.removeValue(forKey: node.order)?.tensor(node.shape)
  }

  /// Lets an operation add to a variable's gradient where it lies, such as a product that sums.
  /// - Parameter write: Is given the values and `beta`: 0 where they are not yet initialised and
  ///   must be overwritten, 1 where they must be added to.
  func accumulate(
    into node: GradientNode?, _ write: (UnsafeMutablePointer<Float>, _ beta: Float) -> Void
  ) {
    guard let node else { return }
    if var sum = take(node) {
      sum.modify { write($0, 1) }
      store[node.order] = .float32(sum)
    } else {
      store[node.order] = .float32(Tensor(shape: node.shape) { write($0, 0) })
    }
  }

  /// As `accumulate(into:)`, for products that can write bfloat16; only float32 is to be kept.
  func accumulateProduct(
    into node: GradientNode?, in precision: ProductPrecision,
    _ write: (ProductResult, _ beta: Float) -> Void
  ) {
    guard let node else { return }
    if node.isRounded, precision == .bfloat16, store[node.order] == nil {
      store[node.order] = .made(in: precision, shape: node.shape) { write($0, 0) }
    } else {
      accumulate(into: node) { write(.float32($0), $1) }
    }
  }

  /// As `accumulate(into:)`, for operations that touch only some places: the values are never
  /// uninitialised.
  func accumulateSparse(into node: GradientNode?, _ add: (UnsafeMutablePointer<Float>) -> Void) {
    guard let node else { return }
    var sum = take(node) ?? .zeros(node.shape)
    sum.modify(add)
    store[node.order] = .float32(sum)
  }
}
