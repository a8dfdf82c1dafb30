import Foundation
import TestSupport
import Testing

@testable import Recipes
@testable import Reporting
@testable import Training

/// What `doctor --run` says beside the losses' levels, and where it can say little.
@Suite struct CourseFindingTests {
  private typealias Run = SyntheticRun

  @Test func fewPointsAndWarmUpAreTooEarly() throws {
    let run = try Run(
      train: ["itc": Run.line(4.3, 4.1, 3), "learningRate": Run.line(1e-6, 1e-4, 3)])
    let findings = try run.findings(Run.recipe())
    #expect(findings.first(.tooFewPoints)?.verdict == .early)
    #expect(findings.first(.tooFewPoints)?.value == 3)
    let warming = try #require(findings.first(.warmingUp))
    #expect(warming.verdict == .early && warming.value == 30 && warming.expected == 40)
    #expect(findings.first(.contrastNothing)?.verdict == .early)
    let later = try Run(train: ["itc": Run.line(4, 2)]).findings(Run.recipe())
    #expect(later.first(.tooFewPoints) == nil && later.first(.warmingUp) == nil)
    let never = try run.findings(Run.recipe(steps: 30, warmup: 30)).first(.warmingUp)
    #expect(never?.verdict == .odd && never?.text.contains("warmupSteps") == true)
  }

  @Test func aRisingLossIsFoundAndNoiseIsNot() throws {
    let noise = (0..<30).map { 0.01 * sin(Double($0) * 7) }
    func findings(_ base: [Double?]) throws -> [Finding] {
      let values = zip(base, noise).map { base, noise in base.map { $0 + noise } }
      return try Run(train: ["itg": values]).findings(Run.recipe())
    }
    let rising = try findings(Run.line(9, 4, 20) + Run.line(4, 5, 10))
    let finding = try #require(rising.first(.rising))
    #expect(finding.verdict == .odd && finding.metric == "train/itg")
    #expect(finding.text.contains("steps 210 to 300"))
    #expect(abs((finding.value ?? 0) - 1) < 0.1)
    #expect(try findings(Run.line(4, 4)).first(.rising) == nil)
    #expect(try findings(Run.line(9, 4)).first(.rising) == nil)
  }

  @Test func numbersThatWentAstrayAreCounted() throws {
    var values = Run.line(9, 4)
    values[20] = nil
    values[21] = nil
    let skipped = (0..<30).map { $0 < 20 ? 0.0 : 7.0 }
    let findings = try Run(train: ["itg": values, "skippedSteps": skipped]).findings(Run.recipe())
    let astray = try #require(findings.first(.notFinite))
    #expect(astray.verdict == .odd && astray.value == 2)
    #expect(astray.text.contains("steps 210 to 220"))
    let steps = try #require(findings.first(.skippedSteps))
    #expect(steps.value == 7 && steps.text.contains("up to step 210"))
  }

  @Test func gradientsThatAreAlwaysCutOrVanishAreNamed() throws {
    func kinds(_ norm: Double, clip: Double?) throws -> [Finding.Kind] {
      var recipe = Run.recipe()
      recipe.training.clipNorm = clip
      return try Run(train: ["itg": Run.line(9, 4), "gradientNorm": Run.line(norm, norm)])
        .findings(recipe).kinds
    }
    #expect(try kinds(30, clip: 1).contains(.gradientsClipped))
    #expect(try !kinds(30, clip: nil).contains(.gradientsClipped))
    #expect(try !kinds(3, clip: 1).contains(.gradientsClipped))
    #expect(try kinds(1e-6, clip: 1).contains(.gradientsVanish))
    #expect(try !kinds(0.1, clip: 1).contains(.gradientsVanish))
  }

  @Test func theTemperatureIsOfTheLogOrOfTheCheckpoint() throws {
    func verdict(logged: Double?, stored: Double?) throws -> Finding.Verdict? {
      var recipe = Run.recipe()
      recipe.temperature = stored
      var train = ["itc": Run.line(4, 2)]
      if let logged { train["temperature"] = Run.line(logged, logged) }
      return try Run(train: train).findings(recipe).first(.temperature)?.verdict
    }
    #expect(try verdict(logged: nil, stored: nil) == nil)
    #expect(try verdict(logged: nil, stored: 0.07) == .usual)
    #expect(try verdict(logged: 0.001, stored: 0.07) == .odd)
    #expect(try verdict(logged: 3, stored: 0.07) == .odd)
  }

  // MARK: Where little is known

  @Test func withoutARecipeItSaysWhatIsNotKnown() throws {
    let run = try Run(train: ["itc": Run.line(4, 2), "itm": Run.line(0.7, 0.4)])
    let diagnosis = try RunDiagnosis(folder: run.path)
    let finding = try #require(diagnosis.findings.first(.noRecipe))
    #expect(finding.verdict == .unknown && finding.text.contains("no sound checkpoint"))
    #expect(diagnosis.stage == "stage1" && diagnosis.steps == nil && diagnosis.batchSize == nil)
    #expect(diagnosis.findings.first(.contrastLearning) == nil)
    #expect(diagnosis.findings.first(.matchLearning) != nil)
    let second = try Run(train: ["lm": Run.line(4, 2)])
    #expect(try RunDiagnosis(folder: second.path).stage == "stage2")
    // The recipe is there, and the language model is not.
    let away = try second.findings(Run.recipe(stage: "stage2", vocabulary: nil))
    #expect(away.first(.noRecipe)?.text.contains("llm.path") == true)
    #expect(away.first(.languageModelLearning) == nil)
  }

  @Test func damagedLinesAreCounted() throws {
    let run = try Run(train: ["itc": Run.line(4, 2)], more: ["{\"step\":", "x"])
    let finding = try #require(try run.findings(Run.recipe()).first(.damagedLines))
    #expect(finding.verdict == .unknown && finding.value == 2)
  }

  @Test func aLogOfAnythingIsAnswered() throws {
    let logs: [[String: [Double?]]] = [
      ["samplesPerSecond": [1]], ["itc": [nil]], ["itc": [0], "itm": [0], "itg": [-1e99]],
      ["lm": [1e99, -1e99, 1e99]], ["itc": [nil, 1], "skippedSteps": [-1, 1e99]],
    ]
    for train in logs where train["itc"] != [nil] {
      let run = try Run(train: train)
      for recipe in [nil, Run.recipe(), Run.recipe(steps: 0, warmup: .max, vocabulary: 0)] {
        #expect(try !run.findings(recipe).isEmpty)
      }
    }
    #expect(throws: PlotError.self) { try Run(train: ["itc": [nil]]).findings(nil) }
  }

  @Test func findingsAreOneLineEach() throws {
    let run = try Run(train: ["itc": Run.line(4, 2), "itm": Run.line(0.7, 0.4)])
    for finding in try RunDiagnosis(folder: run.path).findings {
      #expect(!finding.line.contains("\n") && finding.line.hasPrefix(finding.verdict.rawValue))
    }
  }
}
