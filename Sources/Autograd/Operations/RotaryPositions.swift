import Glibc
import Tensors

/// Rotary position embeddings (Su et al. 2021, §3.2): each pair of a head's values is turned by an
/// angle that grows with the row's position, `angle = position · base^(−2i / head width)`.
public struct RotaryPositions: Sendable {
  /// Which values of a head make a pair.
  public enum Pairing: Sendable {
    /// `i` with `i + head width / 2`, as public Llama folders have it.
    case halves
    /// `2i` with `2i + 1`, as GGUF files have it.
    case neighbours
  }

  let pairing: Pairing
  let headWidth: Int
  /// `[rows, head width / 2]` each.
  private(set) var cosines: Tensor
  private(set) var sines: Tensor

  /// - Parameters:
  ///   - positions: One for each row.
  ///   - headWidth: Even.
  public init(positions: [Int32], headWidth: Int, base: Double, pairing: Pairing) {
    precondition(headWidth % 2 == 0, "a head of width \(headWidth) has no pairs")
    self.pairing = pairing
    self.headWidth = headWidth
    let half = headWidth / 2
    // As the original does: frequencies and angles are rounded to float32.
    let frequencies = (0..<half).map { Float(pow(base, -Double(2 * $0) / Double(headWidth))) }
    var (cosines, sines): ([Float], [Float]) = ([], [])
    for position in positions {
      for frequency in frequencies {
        let angle = Double(Float(position) * frequency)
        cosines.append(Float(cos(angle)))
        sines.append(Float(sin(angle)))
      }
    }
    self.cosines = Tensor(cosines, shape: [positions.count, half])
    self.sines = Tensor(sines, shape: [positions.count, half])
  }

  /// The turns of some of the rows, in the order given.
  public func rows(_ indices: [Int32]) -> RotaryPositions {
    var some = self
    (some.cosines, some.sines) = (cosines.gatheredRows(indices), sines.gatheredRows(indices))
    return some
  }

  /// Turns the rows by their angles, or back, in their form.
  func turned(_ x: Operand, _ shape: [Int], back: Bool) -> Operand {
    let y = Operand.float32(turned(x.tensor(shape), back: back))
    return x.precision == .bfloat16 ? .bfloat16(y.rounded) : y
  }

  /// Turns the rows by their angles, or back.
  func turned(_ x: Tensor, back: Bool) -> Tensor {
    let (rows, width, half) = (x.rowCount, x.width, headWidth / 2)
    let direction: Float = back ? -1 : 1
    return Tensor(shape: x.shape) { y in
      read(x, cosines, sines) { x, cosines, sines in
        Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: width)) {
          for row in $0 {
            for head in 0..<width / headWidth {
              let start = row * width + head * headWidth
              turn(
                x + start, into: y + start, cosines: cosines + row * half,
                sines: sines + row * half,
                direction: direction)
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private func turn(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, cosines: UnsafePointer<Float>,
    sines: UnsafePointer<Float>, direction: Float
  ) {
    let half = headWidth / 2
    for i in 0..<half {
      let (first, second) = pairing == .halves ? (i, i + half) : (2 * i, 2 * i + 1)
      let (c, s) = (cosines[i], sines[i] * direction)
      let (a, b) = (x[first], x[second])
      y[first] = a * c - b * s
      y[second] = b * c + a * s
    }
  }
}

extension Variable {
  /// Rows turned by their positions, every head alike.
  ///
  /// Pullback: the gradient turned back.
  /// - Parameter positions: Made for the receiver's rows.
  /// - Returns: The receiver's shape, `[rows, heads · head width]`.
  public func rotated(by positions: RotaryPositions) -> Variable {
    precondition(
      positions.cosines.shape[0] == rowCount && width % positions.headWidth == 0,
      "positions of \(positions.cosines.shape[0]) rows with heads of \(positions.headWidth) for "
        + "shape \(shape)")
    return .recording(
      positions.turned(kept, shape, back: false), shape: shape, from: [self]
    ) { [node, shape] dy, gradients in
      gradients.addFactor(positions.turned(dy, shape, back: true), to: node)
    }
  }
}
