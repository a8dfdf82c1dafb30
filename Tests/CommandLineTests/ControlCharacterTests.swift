import Foundation
import TestSupport
import Testing

/// What stands in a file must not steer the terminal: no escape reaches it, whatever the command.
struct ControlCharacterTests {
  @Test func namesInListsAreSpeltOut() throws {
    let folder = try TemporaryFolder()
    let image = Goldens.repository.appendingPathComponent(
      "Tests/Fixtures/run-0.1/images/1f378.webp"
    ).path
    try folder.write(
      """
      {"image": "no\\u001b[31m.jpg", "caption": "a\\u001b[31mb"}
      {"image": "\(image)", "caption": "a\\u009b31mb"}
      """, to: "list.jsonl")
    let list = folder.path("list.jsonl")
    let recipe = "Tests/Fixtures/run-0.1/stage1.yaml"
    for arguments in [
      ["data", "pack", list, "--output", folder.path("packed")],
      ["data", "check", "--config", recipe, "--set", "data.train.path=\(list)"],
      [
        "evaluate", "retrieval", "--checkpoint", "Tests/Fixtures/run-0.1/stage1", "--set",
        "data.validation.path=\(list)",
      ],
      [
        "evaluate", "caption", "--checkpoint", "Tests/Fixtures/run-0.1/stage2", "--data", list,
        "--show", "2",
      ],
    ] {
      let result = try BuiltTool.run(arguments)
      for text in [result.output, result.errors] {
        let bad = text.unicodeScalars.filter {
          $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
        }
        #expect(bad.isEmpty, "\(arguments): \(text.debugDescription)")
      }
    }
  }
}
