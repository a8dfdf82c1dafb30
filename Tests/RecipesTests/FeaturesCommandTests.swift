import Foundation
import TestSupport
import Testing

@testable import Recipes

/// `blip2-train features` as a person would run it.
@Suite struct FeaturesCommandTests {
  private let folder: TemporaryFolder
  private let recipe: URL
  private var cache: String { folder.path("features") }

  init() throws {
    folder = try TemporaryFolder()
    let images = folder.url.appendingPathComponent("images")
    try FileManager.default.createDirectory(at: images, withIntermediateDirectories: false)
    let source = Goldens.repository.appendingPathComponent("Data/demo/images")
    for name in try FileManager.default.contentsOfDirectory(atPath: source.path).sorted().prefix(40)
    {
      try folder.copy(source.appendingPathComponent(name), as: "images/\(name)")
      let text = (name as NSString).deletingPathExtension + ".txt"
      try folder.write("an image", to: "images/\(text)")
    }
    try folder.write("not an image", to: "images/broken.jpg")
    try folder.write("a broken image", to: "images/broken.txt")
    recipe = try folder.write(
      """
      model:
        qFormer: {width: 16, layers: 2, heads: 2, feedForwardWidth: 32, queries: 4,
          maximumPositions: 40}
        embeddingWidth: 8
      vision: {path: Data/demo/encoder, imageSize: 48, cacheFolder: \(folder.path("features"))}
      data:
        train: {path: \(images.path)}
        validation: {path: Data/demo/heldout.jsonl}
        workers: 1
      training: {steps: 4, batchSize: 8, learningRate: {warmupSteps: 1}}
      validation: {every: 0}
      log: {every: 1, tensorBoard: false, images: 0}
      """, to: "recipe.yaml")
  }

  private func arguments(_ more: [String]) -> [String] {
    ["features", "--config", recipe.path] + more
  }

  private func features(_ more: String...) throws -> BuiltTool.Result {
    try BuiltTool.run(arguments(more))
  }

  private func train(_ name: String, _ more: String...) throws -> BuiltTool.Result {
    try BuiltTool.run(
      ["stage1", "--config", recipe.path, "--output", folder.path(name)] + more
        + ["--set", "vision.cache=true"])
  }

  /// The finished files by size, the largest first.
  private func files(in folder: String? = nil) throws -> [URL] {
    let folder = URL(fileURLWithPath: folder ?? cache)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .map { folder.appendingPathComponent($0) }
      .sorted { try Data(contentsOf: $0).count > Data(contentsOf: $1).count }
  }

  @Test func computesOnceForRunsToRead() throws {
    let first = try features()
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("training: 41 images, 1 view of each"), "\(first.output)")
    #expect(first.output.contains("validation: 300 images"))
    #expect(first.output.contains("300 images computed in"))
    #expect(first.output.contains("broken.jpg"))
    #expect(first.output.contains("--set vision.cache=true"))
    let files = try files()
    #expect(files.count == 2 && files.allSatisfy { $0.pathExtension == "safetensors" })
    let bytes = try files.map { try Data(contentsOf: $0) }

    let second = try features("--set", "vision.cache=true")
    #expect(second.status == 0 && !second.output.contains("computed in"), "\(second.output)")
    #expect(second.output.hasSuffix("a run reads them with --set vision.cache=true\n"))
    #expect(try self.files().map { try Data(contentsOf: $0) } == bytes)

    let listed = try features("--json")
    let object = try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [String: Any]
    let entries = try #require(object?["files"] as? [[String: Any]], "\(listed)")
    #expect(entries.map { $0["images"] as? Int } == [41, 300])
    #expect(entries.first?["unreadableImages"] as? Int == 1)
    #expect(object?["settings"] as? [String] == ["vision.cache=true"])

    let run = try train("a")
    #expect(run.status == 0, "\(run.errors)")
    #expect(!run.output.contains("computed in") && run.output.contains("features: read from"))
  }

  @Test func otherSettingsAreOtherFilesAndSaySo() throws {
    #expect(try features().status == 0)
    let other = try features("--set", "vision.layer=2")
    #expect(other.status == 0, "\(other.errors)")
    #expect(other.output.contains("is not taken: other layer"), "\(other.output)")
    #expect(try files().count == 4)
    let rounded = try features("--set", "vision.precision=int8")
    #expect(rounded.status == 0, "\(rounded.errors)")
    #expect(rounded.output.contains("is not taken: other precision"), "\(rounded.output)")
    #expect(try files().count == 6)
    let elsewhere = try features("--output", folder.path("elsewhere"), "--set", "vision.views=2")
    #expect(elsewhere.status == 0, "\(elsewhere.errors)")
    #expect(elsewhere.output.contains("41 images, 2 views of each"), "\(elsewhere.output)")
    #expect(
      elsewhere.output.contains("--set vision.cacheFolder=\(folder.path("elsewhere"))"))
    #expect(try files(in: folder.path("elsewhere")).count == 2)
  }

  @Test func damageIsRefusedByRunsAndRepairedHere() throws {
    #expect(try features().status == 0)
    // The training images' features: the held-out images are more.
    let file = try #require(try files().last)
    let whole = try Data(contentsOf: file)
    var damaged = whole
    for row in 0..<41 {
      // One number in nearly every row; they fill the end of the file.
      damaged[damaged.count - 1 - row * (damaged.count / 45)] ^= 0x20
    }
    try damaged.write(to: file)
    let run = try train("a")
    #expect(run.status == 1, "\(run.output)")
    #expect(run.errors.contains(file.path) && run.errors.contains(folder.path("images")))
    #expect(run.errors.contains("make it again by blip2-train features"), "\(run.errors)")
    let again = try features()
    #expect(again.status == 0 && again.output.contains("made again"), "\(again.output)")
    #expect(try Data(contentsOf: file) == whole)
    #expect(try train("a").status == 0)
  }

  /// The rows that an unfinished file says are kept.
  private func keptRows() -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []
    guard let name = names.first(where: { $0.hasSuffix(".part") }),
      let mark = FileManager.default.contents(atPath: cache + "/" + name)?.suffix(12),
      mark.count == 12
    else { return 0 }
    return mark.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// A kill as soon as rows are kept, and a stop as soon as another process has kept more of them.
  /// - Returns: False where the program was quicker than this process, and all is done.
  private func interruptedTwice(_ arguments: [String]) throws -> Bool {
    let killed = try BuiltTool.start(arguments)
    killed.wait { keptRows() > 0 }
    killed.send(SIGKILL)
    let first = killed.finish()
    if first.status == 0 { return false }
    #expect(first.status == SIGKILL, "\(first.errors)")
    let kept = keptRows()
    try #require(kept > 0)

    let stopped = try BuiltTool.start(arguments)
    stopped.waitForOutput("\(kept) of them computed before")
    stopped.wait { keptRows() > kept }
    stopped.send(SIGTERM)
    let second = stopped.finish()
    if second.status == 0 { return false }
    #expect(second.status == 128 + SIGTERM, "\(second.errors)")
    #expect(second.output.contains("the same command goes on"), "\(second.output)")
    #expect(keptRows() > kept)
    return true
  }

  /// Computing many views takes long enough to be interrupted.
  @Test func killedAndContinuedEqualsUninterrupted() throws {
    let views = ["--set", "vision.views=60", "--set", "data.validation.path=null"]
    var tries = 1
    while try !interruptedTwice(arguments(views)) {
      try #require(tries < 5)
      tries += 1
      try FileManager.default.removeItem(atPath: cache)
    }

    let last = try BuiltTool.run(arguments(views))
    #expect(last.status == 0, "\(last.errors)")
    #expect(last.output.contains("of them computed before"), "\(last.output)")
    let whole = try BuiltTool.run(arguments(views + ["--output", folder.path("whole")]))
    #expect(whole.status == 0 && !whole.output.contains("computed before"), "\(whole.errors)")
    let pair = [try files(), try files(in: folder.path("whole"))]
    #expect(pair.map(\.count) == [1, 1])
    #expect(pair[0][0].lastPathComponent == pair[1][0].lastPathComponent)
    #expect(try Data(contentsOf: pair[0][0]) == Data(contentsOf: pair[1][0]))
  }

  @Test func twoAtOnceMakeOneFile() throws {
    let more = ["--set", "vision.views=10"]
    let both = try (0..<2).map { _ in try BuiltTool.start(arguments(more)) }.map { $0.finish() }
    #expect(both.map(\.status) == [0, 0], "\(both.map(\.errors))")
    let computing = both.filter { $0.output.contains("410 images computed in") }
    #expect(computing.count == 1, "\(both.map(\.output))")
    let files = try files()
    #expect(files.count == 2 && files.allSatisfy { $0.pathExtension == "safetensors" })
    let check = try BuiltTool.run(arguments(more))
    #expect(check.status == 0 && !check.output.contains("computed in"), "\(check.output)")
  }

  @Test func stageTwoHasTheSameFeatures() throws {
    let two = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run(
      ["features", "--config", two.recipe.path, "--output", cache])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("training: 300 images"))
    let run = try BuiltTool.run(
      two.arguments(
        "run",
        ["--max-steps", "1"]
          + ["vision.cache=true", "vision.cacheFolder=\(cache)"].flatMap { ["--set", $0] }))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("features: read from"), "\(run.output)")
    let wrong = try BuiltTool.run(
      ["features", "--config", two.recipe.path, "--set", "recipe=stage1", "--output", cache])
    #expect(wrong.status == 1 && wrong.errors.contains("stage1: unknown key"), "\(wrong.errors)")
  }

  @Test func whatCannotBeKeptIsRefused() throws {
    let trained = try features("--set", "vision.frozen=false")
    #expect(trained.status == 1 && trained.errors.contains("vision.frozen"), "\(trained.errors)")
    try folder.write("", to: "file")
    let unwritable = try features("--output", folder.path("file"))
    #expect(unwritable.status == 1 && unwritable.errors.contains(folder.path("file")))
    #expect(try BuiltTool.run(["features"]).status == 64)
  }
}
