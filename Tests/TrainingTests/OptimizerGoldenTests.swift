import Autograd
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import Training

/// AdamW, the schedule and clipping against PyTorch's.
@Suite struct OptimizerGoldenTests {
  static let files = Goldens.files(in: "optimizer")

  struct Settings: Decodable {
    let steps: Int
    let warmupSteps: Int
    let betas: [Float]
    let eps: Float
    let weightDecay: Float
    let runs: [String: [Double]]
  }

  @Test func goldensArePresent() {
    #expect(!Self.files.isEmpty)
  }

  @Test(arguments: files)
  func learningRates(_ url: URL) throws {
    let golden = try Golden(url)
    let settings = try golden.configuration(Settings.self)
    for (run, rates) in settings.runs {
      let schedule = schedule(settings, rates)
      let expected = try golden.file.tensor(named: "\(run)/learning_rate").bytes
      for step in 0..<settings.steps {
        let value = expected.loadUnaligned(fromByteOffset: 8 * step, as: Double.self)
        let rate = schedule.rate(step: step, of: settings.steps)
        #expect(abs(rate - value) <= 1e-12 * abs(value) + 1e-18)
      }
    }
  }

  @Test(arguments: files)
  func updates(_ url: URL) throws {
    let golden = try Golden(url)
    let settings = try golden.configuration(Settings.self)
    for (run, rates) in settings.runs {
      let parameters = try parameters(golden)
      var configuration = AdamWConfiguration()
      configuration.beta1 = settings.betas[0]
      configuration.beta2 = settings.betas[1]
      configuration.epsilon = settings.eps
      configuration.weightDecay = settings.weightDecay
      let optimizer = AdamW(configuration, parameters: parameters)
      let schedule = schedule(settings, rates)
      for step in 0..<settings.steps {
        let gradients = Gradients()
        for entry in parameters {
          entry.parameter.setGradient(
            try golden.tensor("gradients/\(step)/\(entry.name)"), in: gradients)
        }
        optimizer.update(gradients, rate: schedule.rate(step: step, of: settings.steps))
        for entry in parameters {
          let name = "\(run)/fp32/after/\(step + 1)/\(entry.name)"
          guard golden.file.contains(name) else { continue }
          let initial = try golden.tensor("initial/\(entry.name)")
          let text = difference(
            entry.parameter.value - initial, try golden.tensor(name) - initial, relative: 1e-4,
            absolute: 0)
          #expect(text == nil, "\(name)")
        }
      }
      for entry in optimizer.entries {
        let first = try golden.tensor("\(run)/fp32/exp_avg/\(entry.name)")
        let second = try golden.tensor("\(run)/fp32/exp_avg_sq/\(entry.name)")
        #expect(difference(entry.firstMoment, first, relative: 1e-5, absolute: 0) == nil)
        #expect(difference(entry.secondMoment, second, relative: 1e-5, absolute: 0) == nil)
      }
    }
  }

  @Test(arguments: files)
  func clipping(_ url: URL) throws {
    let golden = try Golden(url)
    let cases = Set(golden.names(under: "clip/").map { $0.split(separator: "/")[1] })
    #expect(!cases.isEmpty)
    for example in cases {
      let parameters = try parameters(golden)
      let gradients = Gradients()
      for entry in parameters {
        entry.parameter.setGradient(
          try golden.tensor("clip/\(example)/before/\(entry.name)"), in: gradients)
      }
      let norm = GradientNorm.global(
        parameters.map { $0.parameter.gradient(in: gradients) })
      let expected = Double(try golden.tensor("clip/\(example)/norm").scalar)
      #expect(abs(norm - expected) <= 1e-5 * expected + 1e-9)
      let limit = Double(try golden.tensor("clip/\(example)/limit").scalar)
      let factor = GradientNorm.clippingFactor(norm: norm, limit: limit)
      for entry in parameters {
        let after = try #require(entry.parameter.gradient(in: gradients)) * factor
        let text = difference(
          after, try golden.tensor("clip/\(example)/after/\(entry.name)"), relative: 1e-5)
        #expect(text == nil, "\(example) \(entry.name)")
      }
    }
    #expect(GradientNorm.clippingFactor(norm: 1e9, limit: nil) == 1)
  }

  @Test func accumulatedMicroBatchesAreTheirMean() {
    let parameter = Parameter(shape: [2], decays: false) { Tensor([1, 2], shape: [2]) }
    let gradients = Gradients()
    for factor: Float in [1, 3] {
      gradients.addBackward(from: (parameter.variable * factor).sum(), weight: 0.5)
    }
    #expect(parameter.gradient(in: gradients)?.values == [2, 2])
  }

  private func schedule(_ settings: Settings, _ rates: [Double]) -> LearningRateSchedule {
    var schedule = LearningRateSchedule()
    (schedule.start, schedule.peak, schedule.final) = (rates[0], rates[1], rates[2])
    schedule.warmupSteps = settings.warmupSteps
    return schedule
  }

  private func parameters(_ golden: Golden) throws -> [NamedParameter] {
    try golden.names(under: "initial/").map { path in
      let name = String(path.dropFirst("initial/".count))
      let value = try golden.tensor(path)
      return NamedParameter(
        name: name,
        parameter: Parameter(shape: value.shape, decays: name.hasPrefix("decay")) { value.copied() }
      )
    }
  }
}
