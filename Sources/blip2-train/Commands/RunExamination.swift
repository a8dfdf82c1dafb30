import Files
import Foundation
import Recipes
import Reporting

/// What `doctor --run` says of a run.
struct RunExamination: Encodable, CustomStringConvertible {
  /// The curves that it was held against.
  struct Reference: Encodable {
    let file: String
    let name: String
    let agrees: Bool
  }

  let run: String
  let stage: String
  let step: Int
  let steps: Int?
  let batchSize: Int?
  let findings: [Finding]
  let reference: Reference?

  init(folder: String, reference file: String?) throws {
    let curves = try file.map(CurveReference.init(file:))
    let diagnosis = try RunDiagnosis(folder: folder, reference: curves, report: Self.note)
    run = folder
    stage = diagnosis.stage
    step = diagnosis.step
    steps = diagnosis.steps
    batchSize = diagnosis.batchSize
    findings = diagnosis.findings
    reference = file.flatMap { file in
      diagnosis.comparison.map {
        Reference(file: file, name: curves?.name ?? "", agrees: $0.agrees)
      }
    }
  }

  var description: String {
    var head = "\(run): \(stage), step \(step)"
    if let steps { head += " of \(steps)" }
    if let batchSize { head += ", batch \(batchSize)" }
    return ([head] + findings.map(\.line)).joined(separator: "\n")
  }

  /// Writes the curves of runs as a reference, which has the name of its file.
  static func write(_ file: String, of folders: [String], force: Bool) throws {
    try OutputPath.checkFile(file, force: force, isOwn: CurveReference.isOwn)
    let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let reference = try CurveReference(name: name, runs: folders, report: note)
    try reference.write(to: file)
    let curves = reference.curves.sorted { $0.key < $1.key }.map {
      "\($0.key) \(Quantity.of($0.value.count, "point"))"
    }
    print("wrote \(file): \(Quantity.of(folders.count, "run")), " + curves.joined(separator: ", "))
  }

  private static func note(_ text: String) { StandardError.write("note: \(text)") }
}
