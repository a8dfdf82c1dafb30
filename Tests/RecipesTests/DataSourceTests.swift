import Configuration
import Datasets
import Foundation
import TestSupport
import Testing

@testable import Recipes

/// Sources of data as recipes name them, and the commands around them.
@Suite struct DataSourceTests {
  private func configuration(_ train: String) throws -> StageOneRecipe.Configuration {
    let configuration = try ConfigurationLoader.load(
      StageOneRecipe.Configuration(),
      text: "vision: {frozen: false}\ndata:\n  train: \(train)\n", name: "recipe")
    try configuration.check()
    try configuration.data.requireTraining()
    return configuration
  }

  @Test func mixturesNameTheirSources() throws {
    let configuration = try configuration(
      """
      {mix: [{path: shards, weight: 2, shuffle: 64}, {path: a.jsonl, imageFolder: b, captions: all}]}
      """)
    let parts = configuration.data.train.locations
    #expect(parts.map(\.weight) == [2, nil])
    #expect(
      parts.map(\.location) == [
        SourceLocation(path: "shards", shuffleWindow: 64),
        SourceLocation(path: "a.jsonl", imageFolder: "b", captions: .all),
      ])
    let again = try ConfigurationLoader.load(
      StageOneRecipe.Configuration(), text: try ConfigurationLoader.yaml(configuration),
      name: "again")
    #expect(again == configuration)
    let one = try self.configuration("{path: x.csv, captions: all, shuffle: 5}").data.train
    #expect(
      one.locations.map(\.location)
        == [SourceLocation(path: "x.csv", captions: .all, shuffleWindow: 5)])
  }

  @Test(arguments: [
    ("{path: null}", "data.train.path"),
    ("{path: a, mix: [{path: b}]}", "both path and mix"),
    ("{mix: [{path: a}, {weight: 2}]}", "data.train.mix[1].path"),
    ("{mix: [{path: a, weight: 0}]}", "data.train.mix[0].weight"),
    ("{mix: [{path: a, weight: .nan}]}", "data.train.mix[0].weight"),
    ("{mix: [{path: a, wieght: 2}]}", "data.train.mix[0].weight?"),
    ("{mix: {path: a}}", "expected a list"),
    ("{path: a, shuffle: 0}", "data.train.shuffle"),
    ("{mix: [{path: a, shuffle: -1}]}", "data.train.mix[0].shuffle"),
  ])
  func wrongSourcesAreNamed(train: String, message: String) {
    let error = #expect(throws: ConfigurationError.self) { try configuration(train) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test func shardsArePackedListedCheckedAndTrainedOn() throws {
    let run = try TinyRun(steps: 3)
    let shards = run.output("shards")
    let packed = try BuiltTool.run(
      ["data", "pack", "Data/demo/heldout.jsonl", "--output", shards, "--shard-size", "80"])
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(packed.output.contains("packed 300 images into 4 shards"), "\(packed.output)")
    let listed = try BuiltTool.run(
      ["tvf", shards + "/shard-000003.tar"], program: URL(fileURLWithPath: "/usr/bin/tar"))
    #expect(listed.status == 0 && listed.errors.isEmpty)
    #expect(listed.output.split(separator: "\n").count == 120)
    let again = try BuiltTool.run(
      ["data", "pack", "Data/demo/heldout.jsonl", "--output", shards])
    #expect(again.status == 1 && again.errors.contains(shards), "\(again.errors)")

    let data = [
      "--set", "data.train.path=\(shards)/shard-{000000..000003}.tar", "--set",
      "data.validation.path=\(shards)/*.tar",
    ]
    let check = ["data", "check", "--config", run.recipe.path] + data
    let checked = try BuiltTool.run(check)
    #expect(checked.status == 0, "\(checked.errors)")
    #expect(checked.output.contains(#/images +300\n/#), "\(checked.output)")
    #expect(checked.output.contains(#/shards +4\n/#))
    let trained = try BuiltTool.run(run.arguments("a", data))
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.output.contains("data: 300 images, 300 held out"), "\(trained.output)")

    let cut = URL(fileURLWithPath: shards + "/shard-000001.tar")
    try Data(contentsOf: cut).prefix(50_000).write(to: cut)
    let damaged = try BuiltTool.run(check)
    #expect(damaged.status == 1)
    #expect(damaged.output.contains("\(cut.path): damaged at byte"), "\(damaged.output)")
    #expect(damaged.errors.contains("training would not begin"), "\(damaged.errors)")
    let refused = try BuiltTool.run(run.arguments("b", data))
    #expect(refused.status == 1)
    #expect(refused.errors.contains("\(cut.path): damaged at byte"), "\(refused.errors)")
  }

  @Test func killedAndResumedOnAMixtureEqualsUninterrupted() throws {
    let run = try TinyRun()
    let shards = run.output("shards")
    let packed = try BuiltTool.run(
      ["data", "pack", "Data/demo/heldout.jsonl", "--output", shards, "--shard-size", "20"])
    #expect(packed.status == 0, "\(packed.errors)")
    let mixture = [
      "--set", "data.train.path=null", "--set",
      "data.train.mix=[{path: \(shards), weight: 3, shuffle: 40}, "
        + "{path: Data/demo/train.jsonl, weight: 1}]",
      "--set", "data.workers=2",
    ]
    let whole = try BuiltTool.run(run.arguments("whole", mixture))
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("data: 348 images"), "\(whole.output)")
    let killed = try run.kill("killed", mixture, at: "\(Int.random(in: 11...20))/40")
    #expect(killed.status == SIGKILL, "\(killed.errors)")
    let resumed = try BuiltTool.run(run.arguments("killed", mixture + ["--resume"]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output.contains("resumed from"))
    for group in ["/model", "/optimizer"] {
      let difference = try TinyRun.difference(
        run.checkpoint("whole", step: 40), run.checkpoint("killed", step: 40), group: group)
      #expect(difference.isEmpty)
    }
    let other = try BuiltTool.run(
      run.arguments(
        "killed",
        [
          "--resume", "--set", "data.train.path=null", "--set",
          "data.train.mix=[{path: \(shards)}, {path: Data/demo/train.jsonl}]",
        ]))
    #expect(other.status == 1)
    #expect(other.errors.contains("data: the checkpoint was made with mix:"), "\(other.errors)")
  }
}
