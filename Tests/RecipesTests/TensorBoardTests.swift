import Datasets
import Files
import Foundation
import TestSupport
import Testing

@testable import Recipes
@testable import Reporting
@testable import Training

/// Event files: byte for byte those of TensorBoard's own writer, and of a real run what it did.
@Suite struct TensorBoardTests {
  private struct Cases: Decodable {
    var file: String
    var events: [Event]
    var checksums: [[Value]]

    struct Event: Decodable {
      var kind: String
      var wallTime: Double
      var step: Int
      var writer: String?
      var scalars: [[String]]?
      var textTag: String?
      var rows: [[String]]?
      var imageTag: String?
      var width: Int?
      var height: Int?
      var png: String?
    }

    /// A text or a number.
    enum Value: Decodable {
      case text(String)
      case number(UInt32)

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(UInt32.self) {
          self = .number(number)
        } else {
          self = .text(try container.decode(String.self))
        }
      }
    }
  }

  private static let folder = Goldens.repository.appendingPathComponent(
    "Tests/Fixtures/tensorboard")

  private func cases() throws -> Cases {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(
      Cases.self, from: Data(contentsOf: Self.folder.appendingPathComponent("cases.json")))
  }

  private static func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0
    }
  }

  private func content(_ event: Cases.Event) throws -> TensorBoardEvent.Content {
    switch event.kind {
    case "version": return .version(writer: try #require(event.writer))
    case "start": return .start
    case "scalars":
      return .summary(
        try #require(event.scalars).map { .scalar(tag: $0[0], try #require(Double($0[1]))) })
    default:
      let image = EncodedImage(
        width: try #require(event.width), height: try #require(event.height),
        png: Self.bytes(hex: try #require(event.png)))
      return .summary([
        .table(tag: try #require(event.textTag), try #require(event.rows)),
        .image(tag: try #require(event.imageTag), image),
      ])
    }
  }

  @Test func checksumsAreThoseOfTensorBoard() throws {
    let cases = try cases().checksums
    #expect(cases.count >= 5)
    for pair in cases {
      guard case .text(let hex) = pair[0], case .number(let checksum) = pair[1] else {
        Issue.record("a pair of bytes and checksum: \(pair)")
        continue
      }
      #expect(CRC32C.masked(of: Self.bytes(hex: hex)) == checksum)
    }
    // RFC 3720, B.4, and the usual check value.
    #expect(CRC32C.checksum(of: [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum(of: Array("123456789".utf8)) == 0xE306_9283)
  }

  @Test func recordsAreThoseOfTensorBoard() throws {
    let cases = try cases()
    let expected = try EventReader.records(Self.folder.appendingPathComponent(cases.file))
    #expect(expected.count == cases.events.count)
    var file = Data()
    for (event, bytes) in zip(cases.events, expected) {
      let own = TensorBoardEvent(
        wallTime: event.wallTime, step: event.step, content: try content(event))
      #expect(own.bytes == bytes, "\(event.kind)")
      file += EventFile.record(own.bytes)
    }
    #expect(file == (try Data(contentsOf: Self.folder.appendingPathComponent(cases.file))))
  }

  @Test func filesOfAFolderSortInTheOrderTheyWereBegun() throws {
    let folder = try TemporaryFolder()
    let times = [1_700_000_000.0, 1_700_000_000, 1_600_000_000, 1_800_000_000]
    let files = try times.map { try EventFile(folder: folder.url, wallTime: $0) }
    let names = files.map(\.url.lastPathComponent)
    #expect(names == names.sorted())
    #expect(Set(names).count == 4)
    #expect(names[0].hasPrefix("events.out.tfevents.1700000000."))
    #expect(names[3].hasPrefix("events.out.tfevents.1800000000."))
  }

  @Test func anUnwritableFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "tensorboard")
    let error = #expect(throws: SystemFailure.self) {
      try TensorBoardLog(output: folder.url, continuingFrom: 0)
    }
    #expect(error?.description.contains(folder.path("tensorboard")) == true)
  }

  // MARK: Runs

  private static let validation = [
    "data.validation.path=Data/demo/heldout.jsonl", "validation.every=3", "validation.rerank=2",
    "log.images=3",
  ].flatMap { ["--set", $0] }

  @Test func aRunWritesItsNumbersImagesAndCaptions() throws {
    let run = try TinyRun(steps: 6)
    let trained = try BuiltTool.run(run.arguments("a", Self.validation))
    #expect(trained.status == 0, "\(trained.errors)")
    let files = try EventReader.events(in: run.output("a") + "/tensorboard")
    #expect(files.count == 1)
    let events = try #require(files.first)
    #expect(events.first?.version == "brain.Event:2")
    #expect(events.filter(\.isStart).map(\.step) == [1])
    for tag in [
      "itc", "itm", "itg", "total", "learningRate", "gradientNorm", "samplesPerSecond",
      "stepSeconds", "dataSeconds", "validationSeconds", "saveSeconds", "peakMemory",
    ] {
      #expect(
        events.filter { $0.scalars["train/\(tag)"] != nil }.map(\.step) == Array(1...6), "\(tag)")
    }
    for tag in ["itc", "cosine.imageToText.r1", "reranked.textToImage.r10"] {
      #expect(events.filter { $0.scalars["validation/\(tag)"] != nil }.map(\.step) == [3, 6])
    }
    let images = events.filter { !$0.images.isEmpty }
    #expect(images.map(\.step) == [3, 3, 3, 6, 6, 6])
    for (number, event) in images.prefix(3).enumerated() {
      let png = try #require(event.images["images/\(number + 1)/image"])
      let size = try ImageDecoder().decode(bytes: png)
      #expect((1...224).contains(size.width) && (1...224).contains(size.height))
      let cells = try #require(event.tables["images/\(number + 1)/text"])
      #expect(cells.count == 6 && cells[0] == "file" && cells[2] == "truth")
      #expect(cells[4] == "caption")
      #expect(trained.output.contains("\(cells[1]): generated \"\(cells[5].prefix(71))"))
      #expect(trained.output.contains("; truth \"\(cells[3])\"\n"))
    }
    try logAgrees(run.output("a"), events)
  }

  /// `metrics.jsonl` says the same.
  private func logAgrees(_ output: String, _ events: [EventReader.Event]) throws {
    let log = try String(contentsOfFile: output + "/metrics.jsonl", encoding: .utf8)
    var captions = 0
    for line in log.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      let entry = try #require(object as? [String: Any])
      let step = try #require(entry["step"] as? Int)
      if entry["kind"] as? String == "captions" {
        let list = try #require(entry["captions"] as? [[String: Any]])
        let tables = events.filter { $0.step == step }.flatMap(\.tables.values)
        #expect(list.count == 3)
        for item in list {
          let image = try #require(item["image"] as? String)
          let cells = try #require(tables.first { $0[1] == image })
          #expect(item["caption"] as? String == cells[5])
          #expect((item["truth"] as? [String])?.first == cells[3])
        }
        captions += 1
      } else if let loss = entry["total"] as? Double {
        let terms = ["itc", "itm", "itg"].compactMap { entry[$0] as? Double }
        #expect(abs(terms.reduce(0, +) - loss) < 1e-5)
        let event = try #require(
          events.first { $0.step == step && $0.scalars["train/total"] != nil })
        #expect(abs(Double(event.scalars["train/total"] ?? 0) - loss) < 1e-5)
      }
    }
    #expect(captions == 2)
  }

  @Test func aResumedRunBeginsAnotherFileThatSupersedesLaterSteps() throws {
    let run = try TinyRun(steps: 12)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let resumed = try BuiltTool.run(
      run.arguments("a", ["--resume", run.checkpoint("a", step: 5), "--max-steps", "8"]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    let files = try EventReader.events(in: run.output("a") + "/tensorboard")
    try #require(files.count == 2)
    // TensorBoard takes the first start for no restart, so that there must be one in each file.
    #expect(files[0].filter(\.isStart).map(\.step) == [1])
    #expect(files[1].filter(\.isStart).map(\.step) == [6])
    #expect(files[1][1].isStart)
    #expect(files[1].filter { $0.scalars["train/itc"] != nil }.map(\.step) == [6, 7, 8])
  }

  /// Features stand in place of pixels in the batch; the images come from their files.
  @Test func imagesAreShownWhereFeaturesAreKept() throws {
    let run = try TinyRun(
      steps: 3, vision: "{path: Data/demo/encoder, cache: true}")
    let settings = Self.validation + ["--set", "vision.cacheFolder=\(run.output("features"))"]
    let trained = try BuiltTool.run(run.arguments("a", settings))
    #expect(trained.status == 0, "\(trained.errors)")
    let events = try EventReader.events(in: run.output("a") + "/tensorboard").joined()
    let images = events.flatMap(\.images.values)
    #expect(images.count == 3)
    #expect(events.flatMap(\.tables.values).allSatisfy { $0.contains("caption") })
  }

  @Test func withoutGenerationThereIsTruthOnly() throws {
    let run = try TinyRun(steps: 3)
    let trained = try BuiltTool.run(
      run.arguments("a", Self.validation + ["--set", "model.objectives.generation=false"]))
    #expect(trained.status == 0, "\(trained.errors)")
    let events = try EventReader.events(in: run.output("a") + "/tensorboard").joined()
    #expect(events.flatMap(\.images.values).count == 3)
    #expect(events.flatMap(\.tables.values).allSatisfy { $0.count == 4 && $0[2] == "truth" })
    #expect(!trained.output.contains("generated"))
  }

  @Test func switchedOffItWritesNothing() throws {
    let run = try TinyRun(steps: 3)
    let trained = try BuiltTool.run(
      run.arguments("a", Self.validation + ["--set", "log.tensorBoard=false"]))
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(!FileManager.default.fileExists(atPath: run.output("a") + "/tensorboard"))
    #expect(trained.output.contains("generated"))
  }

  @Test func imageChoiceIsSpread() {
    #expect(SampleImages.spread(4, over: 100) == [0, 25, 50, 75])
    #expect(SampleImages.spread(4, over: 3) == [0, 1, 2])
    #expect(SampleImages.spread(0, over: 3) == [])
  }

  @Test(arguments: [(448, 224, 224, 112), (100, 50, 100, 50), (10, 4000, 1, 224)])
  func imagesKeepTheirProportions(_ sizes: (Int, Int, Int, Int)) {
    let image = RGBImage(
      width: sizes.0, height: sizes.1,
      pixels: [UInt8](repeating: 7, count: sizes.0 * sizes.1 * 3))
    let small = image.fitted(into: SampleImages.maximumSide)
    #expect(small.width == sizes.2 && small.height == sizes.3)
  }
}
