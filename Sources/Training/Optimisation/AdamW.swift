import Autograd
import Configuration
import Foundation
import Layers
import Objectives
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

/// AdamW over named parameters, with its two moments. Of several processes each has those of a share of
/// the values, which it updates for all.
public final class AdamW {
  /// A parameter with the optimiser's state.
  public struct Entry {
    public let name: String
    public let parameter: Parameter
    /// Multiplies the learning rate.
    let rateScale: Double
    /// The values that this process updates, one after another.
    fileprivate let own: Range<Int>
    /// Of these values; of the parameter's shape where they are all.
    public fileprivate(set) var firstMoment: Tensor
    public fileprivate(set) var secondMoment: Tensor
  }

  private let configuration: AdamWConfiguration
  private let shards: ParameterShards
  public private(set) var entries: [Entry]
  /// How many updates were made: less than the steps of the run if some were skipped.
  public var updates = 0

  /// - Parameters:
  ///   - rateScale: What a parameter's learning rate is multiplied with.
  ///   - communicator: The processes that train these parameters together.
  public init(
    _ configuration: AdamWConfiguration, parameters: [NamedParameter],
    communicator: any Communicator = SingleProcess(),
    rateScale: (Parameter) -> Double = { _ in 1 }
  ) {
    self.configuration = configuration
    let trained = parameters.filter { !$0.parameter.isFrozen }
    let shards = ParameterShards(trained.map(\.parameter), communicator)
    self.shards = shards
    entries = zip(trained, shards.own).map { named, own in
      let parameter = named.parameter
      let shape = own.count == parameter.valueCount ? parameter.shape : [own.count]
      return Entry(
        name: named.name, parameter: parameter, rateScale: rateScale(parameter), own: own,
        firstMoment: .zeros(shape), secondMoment: .zeros(shape))
    }
  }

  /// The processes that train together.
  var communicator: any Communicator { shards.communicator }

  /// Puts back the moments of a whole parameter, read from a checkpoint.
  public func setMoments(_ index: Int, first: Tensor, second: Tensor) {
    let (own, shape) = (entries[index].own, entries[index].firstMoment.shape)
    // What others update is let go of.
    func part(_ moment: Tensor) -> Tensor {
      own.count == moment.count ? moment : moment.flatRows(own).copied().reshaped(shape)
    }
    entries[index].firstMoment = part(first)
    entries[index].secondMoment = part(second)
  }

  /// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
  /// `θ ← θ − η·λ·θ − η · m̂ / (√v̂ + ε)` with `m̂ = m/(1−β₁ᵗ)`, `v̂ = v/(1−β₂ᵗ)`.
  ///
  /// Parameters that no gradient reached move as with a gradient of 0. Several processes call it together.
  /// - Parameter gradientScale: Multiplies every gradient, as clipping does.
  public func update(_ gradients: Gradients, rate: Double, gradientScale: Float = 1) {
    update(summed(gradients), rate: rate, gradientScale: gradientScale)
  }

  /// The gradients of the values that this process updates, summed over all processes: for each entry, nil
  /// where there are none.
  func summed(_ gradients: Gradients) -> [Tensor?] { shards.summed(gradients) }

  /// - Parameter own: What ``summed(_:)`` returned.
  func update(_ own: [Tensor?], rate: Double, gradientScale: Float) {
    updates += 1
    let correction1 = 1 - pow(Double(configuration.beta1), Double(updates))
    let correction2 = 1 - pow(Double(configuration.beta2), Double(updates))
    for index in entries.indices {
      let scaled = rate * entries[index].rateScale
      let pass = AdamWPass(
        configuration: configuration, gradientScale: gradientScale,
        decay: 1 - Float(scaled)
          * (entries[index].parameter.decays ? configuration.weightDecay : 0),
        step: Float(scaled / correction1), root: Float(1 / correction2.squareRoot()))
      pass.run(&entries[index], gradient: own[index])
    }
    // Per value: read θ, g, m and v, written θ, m and v.
    Profile.mark(
      "AdamW",
      bytes: entries.reduce(0) { $0 + $1.firstMoment.count } * 7 * MemoryLayout<Float>.stride)
    shards.share()
    if communicator.count > 1 { Profile.mark("parameters from others") }
  }

  // MARK: All that a checkpoint holds of it

  /// The optimiser's state and the parameters at one time.
  struct Snapshot {
    /// A parameter with its whole moments.
    struct Entry {
      let name: String
      let value, firstMoment, secondMoment: Tensor
    }

    let entries: [Entry]
    let updates: Int
    /// How many processes trained.
    let processes: Int
  }

  /// The state as it is now: at the first process, which gets the moments that others have, and nil at
  /// these. Several processes call it together.
  func snapshot() -> Snapshot? {
    // Both first: all processes have a part in both.
    let moments = (
      shards.gathered(entries.map(\.firstMoment)), shards.gathered(entries.map(\.secondMoment))
    )
    guard let firstMoments = moments.0, let secondMoments = moments.1 else { return nil }
    return Snapshot(
      entries: entries.indices.map {
        Snapshot.Entry(
          name: entries[$0].name, value: entries[$0].parameter.value,
          firstMoment: firstMoments[$0], secondMoment: secondMoments[$0])
      }, updates: updates, processes: communicator.count)
  }

  /// By rank, a checksum of all parameters' values; where they are the same bits, so is it.
  func checksums() -> [Int64] { communicator.gathered([shards.checksum]).map { $0[0] } }
}

/// One pass over one parameter: reads and writes each number once.
private struct AdamWPass {
  let configuration: AdamWConfiguration
  let gradientScale: Float
  let decay: Float
  let step: Float
  let root: Float

  func run(_ entry: inout AdamW.Entry, gradient: Tensor?) {
    let own = entry.own
    if own.isEmpty { return }
    let gradient = gradient ?? .zeros([own.count])
    entry.firstMoment.modify { m in
      entry.secondMoment.modify { v in
        entry.parameter.update { p in
          gradient.read { g in
            Parallel.forEachRun(of: own.count, grain: 16_384) { run in
              move(p + own.lowerBound, g, m, v, run)
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
