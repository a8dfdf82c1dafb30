import Datasets
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Recipes
@testable import Training

/// `embed` and `caption`, run as a person runs them.
@Suite struct InferenceTests {
  private let run: TinyRun
  private let images: [String]

  init() throws {
    run = try TinyRun(steps: 2)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let folder = Goldens.repository.appendingPathComponent("Data/demo/images").path
    images = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().prefix(3)
      .map { "\(folder)/\($0)" }
  }

  private func embed(_ more: [String]) throws -> BuiltTool.Result {
    // As many threads as this process has: the number of threads decides last bits.
    try BuiltTool.run(
      ["embed", "--checkpoint", run.output("a")] + more,
      environment: ["BLIP2_THREADS": "\(Parallel.threadCount)"])
  }

  private func lines(_ path: String) throws -> [[String: Any]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  private func rows(_ value: Any?) throws -> [[Float]] {
    try #require(value as? [[NSNumber]]).map { $0.map(\.floatValue) }
  }

  @Test func jsonLinesHoldTheModelsFeatures() throws {
    let output = run.output("all.jsonl")
    let texts = ["a grinning face", "two dogs"]
    let result = try embed(
      ["--image"] + images.prefix(2) + ["--text"] + texts + ["--output", output])
    #expect(result.status == 0, "\(result.errors)")
    let objects = try lines(output)
    #expect(objects.count == 6)
    let found = objects.filter { $0["image"] != nil && $0["features"] != nil }
    #expect(found.compactMap { $0["image"] as? String } == Array(images.prefix(2)))
    #expect(objects.filter { $0["multimodal"] != nil }.count == 2)
    let text = try #require(
      objects.first { $0["text"] as? String == "two dogs" && $0["tokens"] != nil })
    #expect(text["tokens"] as? [Int] == [101, 2048, 6077, 102])

    // The same numbers as the model gives in this process.
    let checkpoint = try LoadedRecipe<StageOneRecipe>(
      run.output("a"), reading: [], report: { _ in })
    var embedded: [StageOneRecipe.Embedding] = []
    _ = try checkpoint.embed(
      images: Array(images.prefix(2)), texts: texts, report: { _ in },
      show: { embedded.append($0) })
    guard case .image(_, let embeddings, let features) = try #require(embedded.first) else {
      Issue.record("images come first")
      return
    }
    #expect(embeddings.shape == [4, 16] && features.shape == [4, 8])
    #expect(try rows(found[0]["embeddings"]).flatMap { $0 } == embeddings.values)
    #expect(try rows(found[0]["features"]).flatMap { $0 } == features.values)
  }

  @Test func hdf5HoldsTheSameRows() throws {
    let (binary, text) = (run.output("all.h5"), run.output("all.jsonl"))
    let inputs = ["--image"] + images + ["--text", "a", "two dogs", "three small birds"]
    for output in [binary, text] {
      let result = try embed(inputs + ["--output", output])
      #expect(result.status == 0, "\(result.errors)")
    }
    func dump(_ dataset: String) throws -> [Float] {
      let result = try BuiltTool.run(
        ["-y", "-w", "0", "-m", "%.9g", "-d", dataset, binary],
        program: URL(fileURLWithPath: "/usr/bin/h5dump"))
      #expect(result.status == 0, "\(result.errors)")
      let data = try #require(result.output.components(separatedBy: "DATA {").last)
      return data.split(whereSeparator: { ", \n}".contains($0) }).compactMap { Float($0) }
    }
    let objects = try lines(text)
    let images = try objects.filter { $0["image"] != nil && $0["features"] != nil }
      .flatMap { try rows($0["features"]).flatMap { $0 } }
    #expect(try dump("image/features") == images)
    let texts = objects.filter { $0["tokens"] != nil }
    #expect(
      try dump("text/embeddings") == texts.flatMap { try rows($0["embeddings"]).flatMap { $0 } })
    #expect(try dump("text/offsets") == [0, 3, 7, 12])
    #expect(
      try dump("multimodal/embeddings")
        == objects.filter { $0["multimodal"] != nil }.flatMap {
          try rows($0["multimodal"]).flatMap { $0 }
        })
  }

  /// Draws belong to images and the seed: not to batches, not to a search.
  @Test func captionsAreDrawn() throws {
    func captions(_ images: [String], _ more: String...) throws -> [Substring] {
      let result = try BuiltTool.run(
        ["caption", "--checkpoint", run.output("a"), "--image"] + images + more)
      #expect(result.status == 0, "\(result.errors)")
      return result.output.split(separator: "\n")
    }
    let drawn = try captions(images, "--sample", "--temperature", "5")
    #expect(drawn.count == images.count)
    #expect(try captions(images, "--sample", "--temperature", "5") == drawn)
    #expect(try captions(images, "--sample", "--temperature", "5", "--seed", "1") != drawn)
    #expect(try captions(images) != drawn)
    let bad = try BuiltTool.run(
      [
        "caption", "--checkpoint", run.output("a"), "--image", images[0], "--sample", "--top-p",
        "2",
      ])
    #expect(bad.status == 64 && bad.errors.contains("--top-p"), "\(bad.errors)")
  }

  @Test func badInputIsNamed() throws {
    let broken = try run.folder.write("no image", to: "broken.jpg").path
    let some = try embed(["--image", broken, images[0], "--output", run.output("some.jsonl")])
    #expect(some.status == 0)
    #expect(some.errors.contains(broken) && some.errors.contains("skipped 1 of 2 images"))
    #expect(try lines(run.output("some.jsonl")).count == 1)
    let none = try embed(["--image", broken, "--output", run.output("none.h5")])
    #expect(none.status == 1 && none.errors.contains("no image of 1 could be read"))
    #expect(!FileManager.default.fileExists(atPath: run.output("none.h5")))
    let unequal = try embed(
      ["--image", images[0], "--text", "a", "b", "--output", run.output("x.h5")])
    #expect(unequal.status == 1 && unequal.errors.contains("1 image and 2 texts"))
    let nowhere = try embed(["--text", "a", "--output", run.output("none/x.jsonl")])
    #expect(nowhere.status == 1 && nowhere.errors.contains("none/x.jsonl: cannot be written"))
    let long = try embed(
      ["--text", String(repeating: "dog ", count: 45), "--output", run.output("long.jsonl")])
    #expect(long.status == 0 && long.errors.contains("cut after 40 tokens"), "\(long.errors)")
    let left = try FileManager.default.contentsOfDirectory(atPath: run.folder.url.path)
    #expect(!left.contains { $0.hasSuffix(".tmp") })
    let form = try embed(["--text", "a", "--output", run.output("x.npy")])
    #expect(form.status == 1 && form.errors.contains(".jsonl"))
    #expect(try embed(["--output", run.output("x.h5")]).status == 64)
  }

  /// `bad\xFF.png`: the image is found, and its name comes out as it went in.
  @Test func imagesOfAnyNameAreRead() throws {
    let path = FilePath.joined(run.folder.url.path, FileName.text(Array("bad".utf8) + [0xFF]))
    let image = try Data(contentsOf: URL(fileURLWithPath: images[0]))
    let descriptor = FileName.withCString(path) { open($0, O_WRONLY | O_CREAT, 0o600) }
    defer { _ = FileName.withCString(path) { unlink($0) } }
    try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: image)
    let checkpoint = try LoadedRecipe<StageOneRecipe>(
      run.output("a"), reading: [], report: { _ in })
    var captions: [(path: String, text: String)] = []
    let skipped = try checkpoint.caption(
      [images[0], path, path + "none"],
      options: .init(beams: 1, minimumLength: 2, maximumLength: 8),
      report: { #expect($0.hasSuffix("bad\\xFFnone: cannot be read: No such file or directory")) },
      show: { captions.append(($0, $1)) })
    #expect(
      skipped == 1 && captions.map { NameKey($0.path) } == [images[0], path].map(NameKey.init))
    #expect(captions.first?.text == captions.last?.text)

    let (binary, text) = (run.output("names.h5"), run.output("names.jsonl"))
    for output in [binary, text] {
      var file = try EmbeddingFile(output)
      _ = try checkpoint.embed(
        images: [path], texts: ["a"], report: { _ in }, show: { try file.add($0) })
      try file.finish()
    }
    let written = try String(contentsOfFile: text, encoding: .utf8)
    #expect(written.components(separatedBy: "bad\\udcff\"").count == 3)
    let stored = try Data(contentsOf: URL(fileURLWithPath: binary))
    #expect(stored.firstRange(of: Data(FileName.bytes(path))) != nil)
    #expect(stored.firstRange(of: Data(path.utf8)) == nil)
  }

  /// A folder that may not be entered hides all images, and is no broken image.
  @Test func aFailureOfTheSystemEndsTheReading() throws {
    let folder = run.folder.path("locked")
    #expect(mkdir(folder, 0) == 0)
    defer { chmod(folder, 0o700) }
    let reader = ImageReader(
      decoder: ImageDecoder(), transform: .evaluation(side: 8),
      report: { Issue.record("passed over: \($0)") })
    try FileAccess.ofNobody {
      #expect(
        throws: DatasetError.systemFailure(
          file: folder + "/a.png", SystemError(EACCES, isOfFolder: true))
      ) { try reader.images([images[0], folder + "/a.png"]) }
    }
  }

  @Test func captionsComeLineByLine() throws {
    let broken = try run.folder.write("no image", to: "broken.jpg").path
    let arguments = ["caption", "--checkpoint", run.output("a"), "--max-tokens", "8"]
    let limits = ["--min-tokens", "3", "--beams", "2"]
    let result = try BuiltTool.run(
      arguments + limits + ["--image", images[0], broken, images[1]])
    #expect(result.status == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(lines.map { String($0[0]) } == Array(images.prefix(2)))
    #expect(lines.allSatisfy { $0.count == 2 && !$0[1].contains("[DEC]") })
    #expect(result.errors.contains("skipped 1 of 3 images"))
    let json = try BuiltTool.run(arguments + limits + ["--json", "--image", images[0]])
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: String]
    #expect(object?["caption"] == lines[0].last.map(String.init))
    let long = try BuiltTool.run(
      ["caption", "--checkpoint", run.output("a"), "--max-tokens", "41", "--image", images[0]])
    #expect(long.status == 1 && long.errors.contains("maximumPositions"))
    let silent = try BuiltTool.run(
      arguments + ["--set", "model.objectives.generation=false", "--image", images[0]])
    #expect(silent.status == 1 && silent.errors.contains("model.objectives.generation"))
  }
}
