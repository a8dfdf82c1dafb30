import Tensors

/// The passes of layer normalisation over the rows; rows are independent but for dγ and dβ.
struct LayerNormKernel {
  let rows: Int
  let width: Int
  let epsilon: Float
  let dropout: Dropout?
  let places: [RandomPlace]
  let gamma: Tensor
  let beta: Tensor

  /// - Parameters:
  ///   - x: `[..., width]`.
  ///   - gamma: `[width]`, as beta.
  ///   - places: Where each row's draws belong; used only with dropout.
  init(
    of x: Variable, gamma: Variable, beta: Variable, epsilon: Float, dropout: Dropout? = nil,
    places: [RandomPlace] = []
  ) {
    (rows, width, self.epsilon) = (x.rowCount, x.width, epsilon)
    self.dropout = dropout.flatMap { $0.rate > 0 ? $0 : nil }
    self.places = places
    (self.gamma, self.beta) = (gamma.value, beta.value)
    precondition(
      self.gamma.count == width && self.beta.count == width,
      "γ \(gamma.shape) and β \(beta.shape) do not go with shape \(x.shape)")
    precondition(
      self.dropout == nil || places.count == rows,
      "\(places.count) places for the rows of \(x.shape)")
  }

  struct Result {
    /// `[rows, width]`, as float32 and as bfloat16, as far as wanted.
    var y: Tensor?
    var rounded: BFloat16Matrix?
    /// x̂, `[rows, width]`, and 1/√(variance + ε), `[rows]`; empty if no backward pass comes.
    var normalised: Operand
    var scales: Tensor
  }

  private var grain: Int { Parallel.rowGrain(width: width) }

  // MARK: Forward

  /// - Parameters:
  ///   - rounds: Whether products in bfloat16 read the result, and x̂ waits in bfloat16.
  ///   - writesFloats: Whether the result is wanted in float32.
  ///   - keepsNormalised: Whether a backward pass comes.
  func forward(
    _ x: Operand, residual: Tensor?, rounds: Bool, writesFloats: Bool, keepsNormalised: Bool
  ) -> Result {
    let count = keepsNormalised ? rows : 0
    let scales = Tensor(shape: [count]) { _ in }
    let y = writesFloats ? Tensor(shape: [rows, width]) { _ in } : nil
    let floats = Tensor(shape: [rounds ? 0 : count, width]) { _ in }
    var result = Result(y: y, normalised: .float32(floats), scales: scales)
    func run(_ rounded: UnsafeMutablePointer<BFloat16>?, _ kept: KeptRows) {
      forward(
        x, residual, scales: keepsNormalised ? scales.writable : nil,
        into: Targets(y: y?.writable, rounded: rounded, kept: kept))
    }
    guard rounds else {
      run(nil, .floats(keepsNormalised ? floats.writable : nil))
      return result
    }
    var normalised: BFloat16Matrix?
    result.rounded = BFloat16Matrix(rows: rows, columns: width) { rounded in
      normalised = BFloat16Matrix(rows: count, columns: width) { kept in
        run(rounded, .rounded(keepsNormalised ? kept : nil))
      }
    }
    if let normalised { result.normalised = .bfloat16(normalised) }
    return result
  }

  /// Where x̂ goes, if anywhere.
  private enum KeptRows {
    case floats(UnsafeMutablePointer<Float>?)
    case rounded(UnsafeMutablePointer<BFloat16>?)
  }

  /// What is written of each row, as far as it is wanted.
  private struct Targets {
    let y: UnsafeMutablePointer<Float>?
    let rounded: UnsafeMutablePointer<BFloat16>?
    let kept: KeptRows

    /// Sixteen numbers of x̂ and of y, or the first of them.
    @inline(__always)
    func put(_ normalised: Vector, _ value: Vector, at place: Int, first lanes: Int = 16) {
      if let y { Targets.store(value, y + place, lanes) }
      if let rounded { Targets.store(value, rounded + place, lanes) }
      switch kept {
      case .floats(let kept): if let kept { Targets.store(normalised, kept + place, lanes) }
      case .rounded(let kept): if let kept { Targets.store(normalised, kept + place, lanes) }
      }
    }

    @inline(__always)
    private static func store<Element: LaneElement>(
      _ x: Vector, _ y: UnsafeMutablePointer<Element>, _ lanes: Int
    ) {
      if lanes == 16 { Element.store(x, y) } else { Element.store(x, y, first: lanes) }
    }
  }

  private func forward(
    _ x: Operand, _ residual: Tensor?, scales: UnsafeMutablePointer<Float>?,
    into targets: Targets
  ) {
    read(gamma, beta) { gamma, beta in
      Parallel.forEachRun(of: rows, grain: grain) { run in
        let scratch = Tensor(shape: [width]) { _ in }
        for row in run {
          let source = sum(x, residual, row: row, scratch.writable)
          let (mean, scale) = moments(source)
          scales?[row] = scale
          let start = row * width
          forEachVector(width) { i in
            let normalised = (Vector(source + i) - mean) * scale
            targets.put(
              normalised, Vector(beta + i).addingProduct(normalised, Vector(gamma + i)),
              at: start + i)
          } partial: { i, lanes in
            let normalised = (Vector(source + i, first: lanes) - mean) * scale
            let value = Vector(beta + i, first: lanes)
              .addingProduct(normalised, Vector(gamma + i, first: lanes))
            targets.put(normalised, value, at: start + i, first: lanes)
          }
        }
        withExtendedLifetime(scratch) {}
      }
    }
  }

  /// dropout(x) + residual, for one row: where x lies if that is all, else in `scratch`.
  @inline(__always)
  private func sum(
    _ x: Operand, _ residual: Tensor?, row: Int, _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    switch x {
    case .float32(let x):
      let source = UnsafePointer(x.writable + row * width)
      if dropout == nil && residual == nil { return source }
      scratch.update(from: source, count: width)
    case .bfloat16(let x):
      x.read { expandVectors($0.pointer + row * width, into: scratch, count: width) }
    }
    dropout?.apply(to: scratch, from: scratch, count: width, place: places[row])
    residual?.read { addVectors($0 + row * width, to: scratch, count: width) }
    return UnsafePointer(scratch)
  }

  @inline(__always)
  private func moments(_ row: UnsafePointer<Float>) -> (mean: Float, scale: Float) {
    let mean = sumVectors(row, count: width) { $0 } / Float(width)
    let variance = sumVectors(row, count: width) { ($0 - mean) * ($0 - mean) } / Float(width)
    return (mean, 1 / (variance + epsilon).squareRoot())
  }

  // MARK: Backward

  /// - Parameter wantsScales: Whether γ or β is trained.
  func backward(
    _ dy: Tensor, normalised: Operand, scales: Tensor, wantsScales: Bool
  ) -> (dSum: Tensor, dGamma: Tensor?, dBeta: Tensor?) {
    switch normalised {
    case .float32(let x):
      x.read { backward(dy, normalised: $0, scales: scales, wantsScales: wantsScales) }
    case .bfloat16(let x):
      x.read { backward(dy, normalised: $0.pointer, scales: scales, wantsScales: wantsScales) }
    }
  }

  private func backward<Element: LaneElement>(
    _ dy: Tensor, normalised: UnsafePointer<Element>, scales: Tensor, wantsScales: Bool
  ) -> (dSum: Tensor, dGamma: Tensor?, dBeta: Tensor?) {
    // dγ and dβ are summed run by run, then over the runs in their order: the same for any threads.
    let grain = max(self.grain, (rows + 63) / 64)
    let runs = max(1, (rows + grain - 1) / grain)
    let partial = Tensor.zeros([wantsScales ? 2 : 0, runs * width])
    let dSum = Tensor(shape: dy.shape) { ds in
      read(dy, gamma, scales) { dy, gamma, scales in
        Parallel.forEachRun(of: rows, grain: grain) { run in
          let dGamma = partial.writable + run.lowerBound / grain * width
          for row in run {
            let start = row * width
            if wantsScales {
              addProducts(dy + start, normalised + start, to: dGamma)
              addVectors(dy + start, to: dGamma + runs * width, count: width)
            }
            rowGradient(
              dy + start, normalised + start, gamma, scale: scales[row], into: ds + start)
          }
        }
      }
    }
    guard wantsScales else { return (dSum, nil, nil) }
    func total(_ index: Int) -> Tensor {
      partial.rows(index..<index + 1).reshaped([runs, width]).columnSums()
    }
    return (dSum, total(0), total(1))
  }

  @inline(__always)
  private func rowGradient<Element: LaneElement>(
    _ dy: UnsafePointer<Float>, _ normalised: UnsafePointer<Element>,
    _ gamma: UnsafePointer<Float>, scale: Float, into ds: UnsafeMutablePointer<Float>
  ) {
    var (sums, products) = (Vector.zero, Vector.zero)
    forEachVector(width) { i in
      let g = Vector(dy + i) * Vector(gamma + i)
      sums += g
      products = products.addingProduct(g, Element.load(normalised + i))
    } partial: { i, lanes in
      let g = Vector(dy + i, first: lanes) * Vector(gamma + i, first: lanes)
      sums += g
      products = products.addingProduct(g, Element.load(normalised + i, first: lanes))
    }
    let mean = sums.laneSum / Float(width)
    let along = products.laneSum / Float(width)
    forEachVector(width) { i in
      let g = Vector(dy + i) * Vector(gamma + i)
      ((g - mean - Element.load(normalised + i) * along) * scale).store(ds + i)
    } partial: { i, lanes in
      let g = Vector(dy + i, first: lanes) * Vector(gamma + i, first: lanes)
      ((g - mean - Element.load(normalised + i, first: lanes) * along) * scale)
        .store(ds + i, first: lanes)
    }
  }

  /// sum += a · b
  @inline(__always)
  private func addProducts<Element: LaneElement>(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Element>, to sum: UnsafeMutablePointer<Float>
  ) {
    forEachVector(width) { i in
      Vector(sum + i).addingProduct(Vector(a + i), Element.load(b + i)).store(sum + i)
    } partial: { i, lanes in
      Vector(sum + i, first: lanes)
        .addingProduct(Vector(a + i, first: lanes), Element.load(b + i, first: lanes))
        .store(sum + i, first: lanes)
    }
  }

  /// The gradient that reaches x: the mask times that of the sum.
  /// - Parameter isRounded: Whether it is wanted in bfloat16.
  func dropped(_ dSum: Tensor, isRounded: Bool) -> Operand {
    if dropout == nil, !isRounded { return .float32(dSum) }
    return .made(in: isRounded ? .bfloat16 : .float32, shape: dSum.shape) { dx in
      dSum.read { ds in
        Parallel.forEachRun(of: rows, grain: grain) { run in
          let scratch = Tensor(shape: [width]) { _ in }
          for row in run {
            let start = row * width
            dropout?.apply(
              to: scratch.writable, from: ds + start, count: width, place: places[row])
            dx.advanced(by: start).write(
              dropout == nil ? ds + start : UnsafePointer(scratch.writable), count: width)
          }
          withExtendedLifetime(scratch) {}
        }
      }
    }
  }
}
