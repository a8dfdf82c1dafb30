import Foundation
import TestSupport
import Testing

@testable import Recipes
@testable import Reporting
@testable import Training

/// What `doctor --run` says of losses.
@Suite struct CurveFindingTests {
  private typealias Run = SyntheticRun

  /// Σ −p ln p, written out.
  private func entropy(_ probabilities: [Double]) -> Double {
    probabilities.reduce(0) { $0 - $1 * log($1) }
  }

  /// The smoothed targets of a batch.
  private func floor(_ classes: Int, _ smoothing: Double) -> Double {
    let other = smoothing / Double(classes)
    return entropy([1 - smoothing + other] + Array(repeating: other, count: classes - 1))
  }

  // MARK: Scales

  @Test func scalesAreEntropies() {
    #expect(abs(LossScale.constantMatch - entropy([1 / 3.0, 2 / 3.0])) < 1e-12)
    #expect(String(format: "%.4f", LossScale.constantMatch) == "0.6365")
    for classes in [2, 64, 30_523] {
      let scale = LossScale(classes: classes, smoothing: 0.1)
      #expect(abs(scale.nothing - log(Double(classes))) < 1e-12)
      #expect(abs(scale.floor - floor(classes, 0.1)) < 1e-9)
      #expect(scale.progress(scale.nothing) == 0 && scale.progress(scale.floor) == 1)
    }
    #expect(LossScale(classes: 8, smoothing: 0).floor == 0)
    // Where every class is as likely, there is nothing to be learnt.
    let even = LossScale(classes: 8, smoothing: 1)
    #expect(abs(even.floor - even.nothing) < 1e-12 && even.progress(2).isFinite)
  }

  @Test func aLineIsFitted() throws {
    let points = (0..<10).map { index -> RecordedMetrics.Point in
      let noise: Double = index % 2 == 0 ? 0.1 : -0.1
      let value: Double = 3 + 0.5 * Double(index) + noise
      return RecordedMetrics.Point(step: Double(10 * index), value: value)
    }
    let line = try #require(LineFit(points))
    #expect(abs(line.slope - 0.05) < 0.002 && abs(line.rise - 4.5) < 0.2)
    #expect(line.error > 0 && line.error < 0.002 && abs(line.mean - 5.25) < 1e-9)
    #expect(LineFit(points.prefix(2)) == nil)
    #expect(LineFit(Array(repeating: points[0], count: 5)) == nil)
  }

  // MARK: ITM

  @Test func aConstantMatchAnswerIsUsualUntilITCHasLinedPairsUp() throws {
    let constant = Run.line(LossScale.constantMatch, LossScale.constantMatch)
    let waiting = try Run(train: ["itc": Run.line(4.2, 3.2), "itm": constant])
      .findings(Run.recipe())
    let usual = try #require(waiting.first(.matchConstant))
    #expect(usual.verdict == .usual && usual.metric == "train/itm" && usual.step == 300)
    #expect(usual.expected == LossScale.constantMatch)
    #expect(waiting.last?.kind == .nothingOdd)
    let stuck = try Run(train: ["itc": Run.line(4.2, 1.2), "itm": constant])
      .findings(Run.recipe())
    let odd = try #require(stuck.first(.matchConstant))
    #expect(odd.verdict == .odd && odd.text.contains("data check"))
    #expect(stuck.first(.nothingOdd) == nil)
    // Without ITC, or without its scale, nobody knows.
    #expect(
      try Run(train: ["itm": constant]).findings(Run.recipe()).first(.matchConstant)?.verdict
        == .unknown)
    #expect(
      try Run(train: ["itc": Run.line(4, 1), "itm": constant]).findings(nil)
        .first(.matchConstant)?.verdict == .unknown)
  }

  @Test func aMatchHeadThatLearnsOrErrsIsNamed() throws {
    let learning = try Run(train: ["itc": Run.line(4, 1.5), "itm": Run.line(0.65, 0.3)])
      .findings(Run.recipe())
    #expect(learning.first(.matchLearning)?.verdict == .usual)
    let train = ["itc": Run.line(4, 3.9, 10), "itm": Run.line(0.8, 0.75, 10)]
    let verdicts = try [(30, 40, 1000), (100, 40, 1000), (100, 10, 100)].map {
      every, warmup, steps in
      try Run(every: every / 10, train: train).findings(Run.recipe(steps: steps, warmup: warmup))
        .first(.matchWorseThanConstant)?.verdict
    }
    #expect(verdicts == [.early, .early, .odd])
    #expect(try Run(train: train).findings(nil).first(.matchWorseThanConstant)?.verdict == .unknown)
  }

  // MARK: ITC, ITG, LM

  private static let scaled: [(String, String, Finding.Kind, Finding.Kind, Finding.Kind)] = [
    ("itc", "stage1", .contrastNothing, .contrastLearning, .contrastFloor),
    ("itg", "stage1", .generationNothing, .generationLearning, .generationFloor),
    ("lm", "stage2", .languageModelNothing, .languageModelLearning, .languageModelFloor),
  ]

  @Test(arguments: scaled.indices)
  func lossesAreHeldAgainstTheirScale(_ index: Int) throws {
    let (loss, stage, nothing, learning, floor) = Self.scaled[index]
    let recipe = Run.recipe(stage: stage, vocabulary: 1337)
    let classes = loss == "itc" ? 64 : 1337
    let (top, bottom) = (log(Double(classes)), loss == "lm" ? 0 : self.floor(classes, 0.1))
    func findings(_ first: Double, _ last: Double, points: Int = 30) throws -> [Finding] {
      try Run(train: [loss: Run.line(first, last, points)]).findings(recipe)
    }
    let start = try #require(try findings(top, top, points: 6).first(nothing))
    #expect(start.verdict == .early && abs((start.expected ?? 0) - top) < 1e-9)
    let collapsed = try #require(try findings(top, top).first(nothing))
    #expect(collapsed.verdict == .odd && collapsed.text.contains("is at ln"))
    #expect(collapsed.text.contains("training.learningRate.peak"))
    #expect(try findings(1.2 * top, 1.2 * top).first(nothing)?.text.contains("is above ln") == true)
    let half = try findings(top, (top + bottom) / 2)
    #expect(half.first(learning)?.verdict == .usual && half.last?.kind == .nothingOdd)
    let memorised = try #require(try findings(bottom + 0.01, bottom + 0.01).first(floor))
    #expect(memorised.verdict == .odd && abs((memorised.expected ?? 0) - bottom) < 1e-9)
    #expect(memorised.text.contains("data.validation.path"))
    if bottom > 0 {
      let impossible = try #require(try findings(0.9 * bottom, 0.9 * bottom).first(.belowFloor))
      #expect(impossible.verdict == .odd)
    }
  }

  @Test func atTheFloorHeldOutPairsDecide() throws {
    let bottom = floor(64, 0.1)
    let train = ["itc": Run.line(4, bottom + 0.01, 100)]
    let verdicts = try [bottom + 0.2, 3.5].map { heldOut in
      try Run(train: train, heldOut: ["itc": [1000: heldOut]]).findings(Run.recipe(steps: 1000))
        .first(.contrastFloor)?.verdict
    }
    #expect(verdicts == [.usual, .odd])
  }

  @Test func aRunWithoutLabelSmoothingHasNoFloor() throws {
    let findings = try Run(train: ["itc": Run.line(4, 0.3)]).findings(Run.recipe(smoothing: 0))
    #expect(findings.first(.contrastLearning)?.verdict == .usual)
  }

  // MARK: Held-out pairs

  @Test func aHeldOutLossThatRisesWhileTrainingFallsIsOverfitting() throws {
    let heldOut = [100: 4.0, 200: 3.6, 300: 4.1]
    let run = try Run(train: ["lm": Run.line(7, 1)], heldOut: ["lm": heldOut])
    let finding = try #require(
      try run.findings(Run.recipe(stage: "stage2", vocabulary: 1337)).first(.overfitting))
    #expect(finding.verdict == .odd && finding.metric == "validation/lm")
    #expect(finding.value == 4.1 && finding.expected == 3.6)
    #expect(finding.text.contains("step 200"))
    let falling = try Run(
      train: ["lm": Run.line(7, 1)], heldOut: ["lm": [100: 4, 200: 3.6, 300: 3.62]])
    #expect(try falling.findings(Run.recipe(stage: "stage2")).first(.overfitting) == nil)
  }

  @Test func recallIsHeldAgainstChance() throws {
    func findings(_ contrast: Double, recall: Double, steps: Int = 300) throws -> [Finding] {
      let numbers = ["cosine": recall, "chance": 0.5].flatMap { kind, value in
        ["imageToText", "textToImage"].map { ("\(kind).\($0).r1", [300: value]) }
      }
      return try Run(
        train: ["itc": Run.line(4.2, contrast)],
        heldOut: Dictionary(uniqueKeysWithValues: numbers)
      ).findings(Run.recipe(steps: steps))
    }
    #expect(try findings(3.8, recall: 0.6, steps: 3000).first(.recallAtChance)?.verdict == .early)
    let over = try #require(try findings(3.8, recall: 0.6).first(.recallAtChance))
    #expect(over.verdict == .odd && over.expected == 0.5)
    let apart = try #require(try findings(1.5, recall: 0.6, steps: 3000).first(.recallAtChance))
    #expect(apart.verdict == .odd && apart.text.contains("data check"))
    #expect(try findings(1.5, recall: 20).first(.recall)?.verdict == .usual)
  }
}
