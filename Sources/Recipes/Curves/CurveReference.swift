import Files
import Foundation
import Reporting
import Training

/// How the losses of several runs of one recipe go that differ in their seeds: what a further run is
/// held against.
public struct CurveReference: Codable, Equatable, Sendable {
  public struct Point: Codable, Equatable, Sendable {
    public let step: Int
    public let mean: Double
    public let lowest: Double
    public let highest: Double
  }

  public let name: String
  /// What decides the curves, by name.
  public let recipe: [String: String]
  public let seeds: [UInt64]
  /// Steps between logged points: each is the mean over so many.
  public let every: Int
  /// By loss: `itc`, `itm`, `itg`; `lm`.
  public let curves: [String: [Point]]

  /// - Parameters:
  ///   - name: What findings call it.
  ///   - folders: Runs of one recipe with seeds of their own, at least two.
  /// - Throws: ``PlotError`` or ``CurveError``.
  public init(
    name: String, runs folders: [String], report: (String) -> Void = { _ in }
  ) throws {
    let runs = try folders.map { folder in
      let metrics = try RecordedMetrics(folder: folder)
      do {
        return RunCurves(
          metrics: metrics, recipe: try RunRecipe(folder: folder, report: report))
      } catch {
        throw CurveError.noRecipe(folder: folder, reason: RunRecipe.reason(error))
      }
    }
    try self.init(name: name, zip(folders, runs).map { ($0, $1) })
  }

  init(name: String, _ runs: [(folder: String, curves: RunCurves)]) throws {
    precondition(runs.count > 1, "a reference of \(runs.count) runs")
    let recipes = runs.map { $0.curves.recipe ?? RunRecipe(stage: "", seed: 0) }
    for (index, recipe) in recipes.enumerated().dropFirst() {
      let folders = [runs[0].folder, runs[index].folder]
      let differences = RunRecipe.differences(recipes[0].settings, recipe.settings)
      if !differences.isEmpty {
        throw CurveError.otherSettings(folders: folders, differences: differences)
      }
      if let twin = recipes[..<index].firstIndex(where: { $0.seed == recipe.seed }) {
        throw CurveError.sameSeed(
          folders: [runs[twin].folder, runs[index].folder], seed: recipe.seed)
      }
    }
    var curves: [String: [Point]] = [:]
    for loss in RunCurves.losses {
      let lines = runs.compactMap { $0.curves.train(loss)?.points }
      guard lines.count == runs.count else { continue }
      let points = PlotCurve.merged(lines).filter { $0.step < 0x1p53 }.map {
        Point(
          step: Int($0.step), mean: CurveReference.rounded($0.value),
          lowest: CurveReference.rounded($0.lowest), highest: CurveReference.rounded($0.highest))
      }
      if !points.isEmpty { curves[loss] = points }
    }
    guard !curves.isEmpty else {
      throw CurveError.noCommonSteps(what: runs.map(\.folder).joined(separator: ", "))
    }
    self.name = name
    self.recipe = recipes[0].settings
    self.seeds = recipes.map(\.seed)
    self.every = CurveReference.every(runs[0].curves)
    self.curves = curves
  }

  /// The least distance of two logged steps; the last step of a run may come sooner.
  static func every(_ run: RunCurves) -> Int {
    let steps = RunCurves.losses.lazy.compactMap { run.train($0)?.points.map(\.step) }.first ?? []
    let first = steps.first.map { Int($0) } ?? 0
    let distances = zip(steps.dropFirst(), steps).map { Int($0 - $1) }
    return distances.dropLast().min() ?? distances.first ?? first
  }

  /// As many digits as the log has.
  private static func rounded(_ value: Double) -> Double {
    Double(String(format: "%.7g", value)) ?? value
  }
}

extension CurveReference {
  private static let maximumFileSize = 16 << 20

  /// - Throws: ``CurveError``.
  public init(file: String) throws {
    let bytes: Data
    do {
      bytes = Data(try BoundedFile.contents(of: file, limit: Self.maximumFileSize))
    } catch {
      throw CurveError.cannotRead(error)
    }
    try self.init(bytes, file: file)
  }

  init(_ bytes: Data, file: String) throws {
    do {
      self = try JSONDecoder().decode(CurveReference.self, from: bytes)
    } catch let DecodingError.keyNotFound(key, _) {
      throw CurveError.notAReference(file: file, reason: "the key \(key.stringValue) is missing")
    } catch let DecodingError.typeMismatch(_, context) {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw CurveError.notAReference(
        file: file, reason: "\(path.isEmpty ? "the file" : path): \(context.debugDescription)")
    } catch {
      throw CurveError.notAReference(file: file, reason: "it is not such JSON")
    }
    if let problem { throw CurveError.notAReference(file: file, reason: problem) }
  }

  /// What is wrong with the numbers, if anything is.
  private var problem: String? {
    if curves.isEmpty { return "it has no curves" }
    if every < 1 { return "every: expected at least 1, found \(every)" }
    for (loss, points) in curves.sorted(by: { $0.key < $1.key }) {
      guard RunCurves.losses.contains(loss) else {
        return "curves.\(loss): expected one of \(RunCurves.losses.joined(separator: ", "))"
      }
      if points.isEmpty { return "curves.\(loss): expected points, found none" }
      for (index, point) in points.enumerated() {
        let follows = index == 0 ? point.step >= 0 : point.step > points[index - 1].step
        guard follows, point.step <= 1 << 53 else {
          return "curves.\(loss): step \(point.step) is out of order"
        }
        guard point.lowest <= point.highest, abs(point.lowest) <= 1e100,
          abs(point.highest) <= 1e100, abs(point.mean) <= 1e100
        else { return "curves.\(loss): the numbers of step \(point.step) make no band" }
      }
    }
    return nil
  }

  /// Writes it, a line for each point, so that versions can be compared.
  /// - Throws: `SystemFailure`.
  public func write(to file: String) throws {
    let keys = try recipe.sorted { $0.key < $1.key }.map { key, value in
      "    \(try JSONLine.text(key)): \(try JSONLine.text(value))"
    }
    let lines = try curves.sorted { $0.key < $1.key }.map { loss, points in
      let rows = points.map { point in
        let numbers = [("mean", point.mean), ("lowest", point.lowest), ("highest", point.highest)]
        return "      {\"step\": \(point.step), "
          + numbers.map { "\"\($0.0)\": " + String(format: "%.7g", $0.1) }.joined(separator: ", ")
          + "}"
      }
      return "    \(try JSONLine.text(loss)): [\n" + rows.joined(separator: ",\n") + "\n    ]"
    }
    let text = """
      {
        "name": \(try JSONLine.text(name)),
        "recipe": {
      \(keys.joined(separator: ",\n"))
        },
        "seeds": \(try JSONLine.text(seeds)),
        "every": \(every),
        "curves": {
      \(lines.joined(separator: ",\n"))
        }
      }

      """
    try AtomicFile.write(text.utf8, to: file)
  }

  /// Whether a file that begins so was written by ``write(to:)``.
  public static func isOwn(_ beginning: [UInt8]) -> Bool {
    let text = String(decoding: beginning, as: UTF8.self)
    return text.hasPrefix("{\n  \"name\": ") && text.contains("\n  \"recipe\": {")
  }
}
