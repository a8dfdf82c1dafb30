import Autograd
import Configuration
import Foundation
import Layers
import Tensors

/// How AdamW moves (Loshchilov and Hutter 2019); the values of Li et al. 2023, §3.4.
public struct AdamWConfiguration: Codable, Equatable, Sendable {
  @Key(0...0.999_999, "The decay of the first moment.")
  public var beta1: Float = 0.9
  @Key(0...0.999_999, "The decay of the second moment.")
  public var beta2: Float = 0.98
  @Key(1e-30...1, "Added to the root of the second moment.")
  public var epsilon: Float = 1e-8
  @Key(0...1000, "Decoupled decay; it acts on matrices, not on biases, norms and the temperature.")
  public var weightDecay: Float = 0.05

  public init() {}
}

/// AdamW over named parameters, with its two moments.
public final class AdamW {
  /// A parameter with the optimiser's state.
  public struct Entry {
    public let name: String
    public let parameter: Parameter
    /// Multiplies the learning rate.
    let rateScale: Double
    public fileprivate(set) var firstMoment: Tensor
    public fileprivate(set) var secondMoment: Tensor
  }

  private let configuration: AdamWConfiguration
  public private(set) var entries: [Entry]
  /// How many updates were made: less than the steps of the run if some were skipped.
  public var updates = 0

  /// - Parameter rateScale: What a parameter's learning rate is multiplied with.
  public init(
    _ configuration: AdamWConfiguration, parameters: [NamedParameter],
    rateScale: (Parameter) -> Double = { _ in 1 }
  ) {
    self.configuration = configuration
    entries = parameters.filter { !$0.parameter.isFrozen }.map {
      Entry(
        name: $0.name, parameter: $0.parameter, rateScale: rateScale($0.parameter),
        firstMoment: .zeros($0.parameter.shape), secondMoment: .zeros($0.parameter.shape))
    }
  }

  /// Puts back a moment read from a checkpoint.
  public func setMoments(_ index: Int, first: Tensor, second: Tensor) {
    entries[index].firstMoment = first
    entries[index].secondMoment = second
  }

  /// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
  /// `θ ← θ − η·λ·θ − η · m̂ / (√v̂ + ε)` with `m̂ = m/(1−β₁ᵗ)`, `v̂ = v/(1−β₂ᵗ)`.
  ///
  /// Parameters that no gradient reached move as with a gradient of 0.
  /// - Parameter gradientScale: Multiplies every gradient, as clipping does.
  public func update(_ gradients: Gradients, rate: Double, gradientScale: Float = 1) {
    updates += 1
    let correction1 = 1 - pow(Double(configuration.beta1), Double(updates))
    let correction2 = 1 - pow(Double(configuration.beta2), Double(updates))
    for index in entries.indices {
      let own = rate * entries[index].rateScale
      let pass = AdamWPass(
        configuration: configuration, gradientScale: gradientScale,
        decay: 1 - Float(own) * (entries[index].parameter.decays ? configuration.weightDecay : 0),
        step: Float(own / correction1), root: Float(1 / correction2.squareRoot()))
      pass.run(&entries[index], gradient: entries[index].parameter.gradient(in: gradients))
    }
    // Per value: read θ, g, m and v, written θ, m and v.
    Profile.mark(
      "AdamW",
      bytes: entries.reduce(0) { $0 + $1.firstMoment.count } * 7 * MemoryLayout<Float>.stride)
  }
}

/// One pass over one parameter: reads and writes each number once.
private struct AdamWPass {
  let configuration: AdamWConfiguration
  let gradientScale: Float
  let decay: Float
  let step: Float
  let root: Float

  func run(_ entry: inout AdamW.Entry, gradient: Tensor?) {
    let count = entry.firstMoment.count
    let gradient = gradient ?? .zeros(entry.parameter.shape)
    entry.firstMoment.modify { m in
      entry.secondMoment.modify { v in
        entry.parameter.update { p in
          gradient.read { g in
            Parallel.forEachRun(of: count, grain: 16_384) { run in
              move(p, g, m, v, run)
            }
          }
        }
      }
    }
  }

  private func move(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
    _ v: UnsafeMutablePointer<Float>, _ run: Range<Int>
  ) {
    let (beta1, beta2) = (configuration.beta1, configuration.beta2)
    let epsilon = configuration.epsilon
    @inline(__always)
    func moved(_ p: Vector, _ g: Vector, _ m: Vector, _ v: Vector) -> (Vector, Vector, Vector) {
      let g = g * gradientScale
      let m = m * beta1 + g * (1 - beta1)
      let v = v * beta2 + g * g * (1 - beta2)
      return (p * decay - m / (v.squareRoots * root + epsilon) * step, m, v)
    }
    let start = run.lowerBound
    forEachVector(run.count) { offset in
      let i = start + offset
      let (newP, newM, newV) = moved(Vector(p + i), Vector(g + i), Vector(m + i), Vector(v + i))
      newP.store(p + i)
      newM.store(m + i)
      newV.store(v + i)
    } partial: { offset, lanes in
      let i = start + offset
      let (newP, newM, newV) = moved(
        Vector(p + i, first: lanes), Vector(g + i, first: lanes), Vector(m + i, first: lanes),
        Vector(v + i, first: lanes))
      newP.store(p + i, first: lanes)
      newM.store(m + i, first: lanes)
      newV.store(v + i, first: lanes)
    }
  }
}
