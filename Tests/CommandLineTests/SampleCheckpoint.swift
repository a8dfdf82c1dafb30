import Checkpointing
import Foundation

enum SampleCheckpoint {
  static let configuration = "stage: 1\nname: demo\n"

  /// Three arrays of the model, one of the optimiser; 26 values.
  static func write(to path: String, step: Int = 40, kind: String = "stage1") throws {
    var metadata = CheckpointMetadata(
      kind: kind, step: step, epoch: 2, dataPosition: 12_800, seed: .max,
      configuration: configuration, programVersion: "0.1.0")
    metadata.fingerprints = ["vision": "ab12"]
    metadata.counters = ["bestValidation": 0.25, "worst": .infinity]
    metadata.createdAt = "2024-05-17T08:30:00Z"
    try CheckpointWriter.write(
      to: URL(fileURLWithPath: path), metadata: metadata,
      arrays: [
        array("model/qFormer/layers/0/key/weight", [2, 5]),
        array("model/qFormer/layers/1/key/weight", [1, 5]),
        array("model/temperature", []),
        array("optimizer/firstMoment/qFormer/layers/0/key/weight", [10]),
      ])
  }

  private static func array(_ path: String, _ shape: [Int]) -> CheckpointArray {
    let count = shape.reduce(1, *)
    return CheckpointArray(path: path, shape: shape, values: (0..<count).map(Float.init))
  }
}
