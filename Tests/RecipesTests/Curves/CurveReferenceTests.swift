import Foundation
import TestSupport
import Testing

@testable import Recipes

/// Curves that further runs are held against.
@Suite struct CurveReferenceTests {
  private typealias Run = SyntheticRun

  private func run(
    _ folder: TemporaryFolder, _ seed: UInt64, offset: Double, every: Int = 10, count: Int = 10
  ) throws -> (folder: String, curves: RunCurves) {
    let run = try Run(
      in: folder, name: "run\(seed)", every: every,
      train: ["itc": Run.line(4 + offset, 3 + offset, count), "total": Run.line(1, 1, count)])
    return (run.path, try run.curves(Run.recipe(seed: seed)))
  }

  private func reference(_ folder: TemporaryFolder) throws -> CurveReference {
    try CurveReference(
      name: "three",
      [
        run(folder, 1, offset: -0.1), run(folder, 2, offset: 0), run(folder, 3, offset: 0.1),
      ])
  }

  @Test func aBandGoesFromTheLowestToTheHighest() throws {
    let reference = try reference(try TemporaryFolder())
    #expect(reference.seeds == [1, 2, 3] && reference.every == 10)
    #expect(reference.curves.keys.sorted() == ["itc"])
    let points = try #require(reference.curves["itc"])
    #expect(points.map(\.step) == (1...10).map { 10 * $0 })
    #expect(points.first == .init(step: 10, mean: 4, lowest: 3.9, highest: 4.1))
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let folder = try TemporaryFolder()
    let reference = try reference(folder)
    let file = folder.path("three.json")
    try reference.write(to: file)
    #expect(try CurveReference(file: file) == reference)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
    #expect(CurveReference.isOwn(bytes) && !CurveReference.isOwn(Array("{}".utf8)))
  }

  @Test func runsOfAReferenceDifferInTheirSeedsAlone() throws {
    let folder = try TemporaryFolder()
    let first = try run(folder, 1, offset: 0)
    #expect(throws: CurveError.sameSeed(folders: [first.folder, first.folder], seed: 1)) {
      try CurveReference(name: "x", [first, first])
    }
    var other = Run.recipe(seed: 2)
    other.settings["batchSize"] = "32"
    let second = ("b", RunCurves(metrics: first.curves.metrics, recipe: other))
    let error = #expect(throws: CurveError.self) {
      try CurveReference(name: "x", [first, second])
    }
    #expect(error?.description.contains("batchSize: 64 and 32") == true)
    let elsewhere = try run(folder, 3, offset: 0, every: 7, count: 5)
    #expect(throws: CurveError.self) { try CurveReference(name: "x", [first, elsewhere]) }
    let bare = try Run(train: ["itc": [4]])
    let unknown = #expect(throws: CurveError.self) {
      try CurveReference(name: "x", runs: [bare.path, bare.path])
    }
    #expect(unknown?.description.contains(bare.path) == true)
    #expect(unknown?.description.contains("no sound checkpoint") == true)
  }

  // MARK: Comparisons

  @Test func aRunWithinTheBandAgrees() throws {
    let folder = try TemporaryFolder()
    let reference = try reference(folder)
    // The seeds' distance, 0.2, is the margin here.
    let near = try ReferenceComparison(
      of: run(folder, 9, offset: 0.29).curves, with: reference)
    #expect(near.agrees && near.findings.kinds == [.reference, .referenceVerdict])
    #expect(near.findings.first?.value == 0 && near.findings.first?.expected == 2)
    let away = try ReferenceComparison(
      of: run(folder, 9, offset: -0.35).curves, with: reference)
    let finding = try #require(away.findings.first(.reference))
    #expect(!away.agrees && finding.verdict == .odd && finding.value == 10)
    #expect(finding.text.contains("below it at steps 10 to 100, by 0.05 at most"))
    #expect(away.findings.last?.verdict == .odd)
  }

  @Test func narrowBandsAreWidenedByAShareOfTheMean() throws {
    let folder = try TemporaryFolder()
    let reference = try CurveReference(
      name: "two", [run(folder, 1, offset: 0), run(folder, 2, offset: 0.001)])
    #expect(
      try ReferenceComparison(of: run(folder, 9, offset: 0.059).curves, with: reference).agrees)
    #expect(
      try !ReferenceComparison(of: run(folder, 9, offset: 0.085).curves, with: reference).agrees)
  }

  @Test func aFewOutliersAreAllowedAndNoFarOnes() throws {
    let folder = try TemporaryFolder()
    let reference = try reference(folder)
    func agrees(_ outliers: [Int: Double]) throws -> Bool {
      var values = Run.line(4, 3, 10)
      for (index, distance) in outliers { values[index] = (values[index] ?? 0) + distance }
      let run = try Run(in: folder, name: "odd", train: ["itc": values])
      return try ReferenceComparison(
        of: try run.curves(Run.recipe(seed: 9)), with: reference
      ).agrees
    }
    #expect(try agrees([3: 0.35, 7: -0.35]))
    #expect(try !agrees([3: 0.35, 7: -0.35, 8: 0.35]))
    #expect(try !agrees([3: 1]))
  }

  @Test func anotherRecipeIsNamed() throws {
    let folder = try TemporaryFolder()
    let reference = try reference(folder)
    let metrics = try run(folder, 9, offset: 0).curves.metrics
    var recipe = Run.recipe(seed: 9)
    recipe.settings["batchSize"] = "32"
    let other = try ReferenceComparison(
      of: RunCurves(metrics: metrics, recipe: recipe), with: reference)
    #expect(!other.agrees)
    #expect(other.findings.first(.referenceSettings)?.text.contains("batchSize: 64 and 32") == true)
    let unknown = try ReferenceComparison(
      of: RunCurves(metrics: metrics, recipe: nil), with: reference)
    #expect(!unknown.agrees && unknown.findings.first?.verdict == .unknown)
    let unevenly = try ReferenceComparison(
      of: run(folder, 9, offset: 0, every: 15, count: 6).curves, with: reference)
    #expect(
      unevenly.findings.first(.referenceSettings)?.text.contains("over 10 and over 15") == true)
    #expect(throws: CurveError.self) {
      try ReferenceComparison(
        of: run(folder, 9, offset: 0, every: 7, count: 5).curves, with: reference)
    }
  }

  /// Means over 10 steps and over 20, either way round.
  @Test func logsOfOtherFrequencyAreHeldAgainstMeansOfMeans() throws {
    let folder = try TemporaryFolder()
    let often = try reference(folder)
    func run(_ every: Int, _ values: [Double?]) throws -> RunCurves {
      try Run(in: folder, name: "other", every: every, train: ["itc": values])
        .curves(Run.recipe(seed: 9))
    }
    let pairs = stride(from: 0, to: 10, by: 2).map { 4 - (Double($0) + 0.5) / 9 }
    let comparison = try ReferenceComparison(of: run(20, pairs), with: often)
    #expect(comparison.agrees && comparison.findings.first?.text.contains("0 of 5 points") == true)
    #expect(try !ReferenceComparison(of: run(20, pairs.map { $0 + 0.5 }), with: often).agrees)
    let fine = try run(5, (0..<20).map { 4 - (Double($0 / 2)) / 9 })
    let again = try ReferenceComparison(of: fine, with: often)
    #expect(again.agrees && again.findings.first?.text.contains("0 of 10 points") == true)
  }

  // MARK: Files

  @Test func filesThatAreNoReferenceAreNamed() throws {
    let folder = try TemporaryFolder()
    let point = "{\"step\": 1, \"mean\": 2, \"lowest\": 1, \"highest\": 3}"
    func text(_ curves: String, every: Int = 5) -> String {
      "{\"name\": \"a\", \"recipe\": {}, \"seeds\": [1], \"every\": \(every), \"curves\": \(curves)}"
    }
    _ = try CurveReference(Data(text("{\"itc\": [\(point)]}").utf8), file: "a")
    let cases = [
      "": "not such JSON", "[]": "the file: ", "{}": "is missing", text("{}"): "no curves",
      text("{\"itc\": []}"): "curves.itc", text("{\"accuracy\": [\(point)]}"): "curves.accuracy",
      text("{\"itc\": [\(point), \(point)]}"): "out of order",
      text("{\"itc\": [\(point.replacingOccurrences(of: "3", with: "0"))]}"): "no band",
      text("{\"itc\": [\(point)]}", every: 0): "every",
      text("{\"itc\": 3}"): "curves.itc",
    ]
    for (text, reason) in cases {
      let file = try folder.write(text, to: "a.json").path
      let error = #expect(throws: CurveError.self) { try CurveReference(file: file) }
      #expect(error?.description.contains(file) == true, "\(text)")
      #expect(error?.description.contains(reason) == true, "\(text): \(error?.description ?? "")")
      #expect(error?.description.contains("--write-reference") == true)
    }
    #expect(throws: CurveError.self) { try CurveReference(file: folder.path("none.json")) }
    #expect(throws: CurveError.self) { try CurveReference(file: folder.url.path) }
  }
}

/// Damaged references end in a comparison or in a `CurveError`.
@Suite struct CurveReferenceFuzzTests {
  @Test func references() throws {
    let text = """
      {
        "name": "demo", "recipe": {"steps": "300"}, "seeds": [1, 18446744073709551615], "every": 5,
        "curves": {"itc": [{"step": 5, "mean": 4.2, "lowest": 4.1, "highest": 4.3},
          {"step": 10, "mean": 1e-5, "lowest": -2, "highest": 3}]}
      }
      """
    let curves = try SyntheticRun(every: 5, train: ["itc": [4, 5]])
      .curves(SyntheticRun.recipe())
    let samples = [FuzzRun.Sample(name: "reference", bytes: Array(text.utf8))]
    let run = FuzzRun(reader: "curve-reference", samples: samples) { $0 is CurveError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      let reference = try CurveReference(Data(bytes), file: "a.json")
      _ = try ReferenceComparison(of: curves, with: reference)
    }
    #expect(report.problems == [])
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > count / 20 && report.refused > count / 10, "\(report)")
  }
}
