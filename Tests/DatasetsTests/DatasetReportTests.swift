import Foundation
import Testing

@testable import Datasets

@Suite struct DatasetReportTests {
  @Test func countsWhatIsThere() throws {
    try withTemporaryFolder { folder in
      for (index, width) in [10, 20, 60].enumerated() {
        try Foundation.Data(PNGMaker.file(noise(width: width, height: 5))).write(
          to: folder.appendingPathComponent("\(index).png"))
      }
      try Foundation.Data("no image".utf8).write(to: folder.appendingPathComponent("3.png"))
      let jpeg = try #require(GoldenImage.all.first { $0.file == "jpeg-exif6.jpg" })
      try FileManager.default.copyItem(at: jpeg.url, to: folder.appendingPathComponent("4.jpg"))
      let upright = try jpeg.image("rgb_turned")
      let list = folder.appendingPathComponent("list.jsonl")
      try """
      {"image": "0.png", "caption": ["a dog", "a big dog"]}
      {"image": "1.png", "caption": "a dog"}
      {"image": "2.png", "caption": "one"}
      {"image": "3.png", "caption": "a dog"}
      {"image": "4.jpg", "caption": "four words are here"}
      {"image": "5.jpg", "caption": "gone"}
      """.write(to: list, atomically: true, encoding: .utf8)
      let report = try DatasetReport(
        try CaptionDataset(list), listedBadImages: 1,
        tokens: { CaptionTokens(count: $0.utf8.count, problem: nil) })
      #expect(report.images == 6 && report.pairs == 7 && report.duplicateCaptions == 2)
      #expect(report.captionWords == .init([2, 3, 2, 1, 2, 4, 1]))
      #expect(report.captionTokens?.maximum == 19)
      #expect(report.captionsPerImage?.median == 1 && report.captionsPerImage?.maximum == 2)
      // The JPEG is stored lying on its side, and counts as it stands upright.
      #expect(report.imageWidths == .init([10, 20, 60, upright.width]))
      #expect(report.imageHeights?.maximum == upright.height)
      #expect(report.formats == [.png: 3, .jpeg: 1])
      #expect(report.sidedCaptions == 0)
      #expect(report.badImages == 2)
      #expect(report.firstBadImages.map(\.path) == [folder.path + "/3.png"])
      let table = report.description.split(separator: "\n").map(String.init)
      #expect(table.contains("words per caption           1        2      2.1        4"))
      #expect(table.contains("unreadable images           2"))
      #expect(table.last == "  and 1 more")
    }
  }

  /// By their bytes, whatever their names and whether they lie in a folder, a list or shards.
  @Test func imagesThatComeAgainAreFound() throws {
    try withTemporaryFolder { folder in
      let training = MemoryCaptions(count: 5)
      let names = ["a", "b", "c", "d"]
      let images = folder.appendingPathComponent("images")
      try FileManager.default.createDirectory(at: images, withIntermediateDirectories: false)
      // The third and the fourth are copies of the first, and the third has its text as well.
      for (name, image) in zip(names, [2, 3, 2, 2]) {
        try Foundation.Data(training.files[image]).write(
          to: images.appendingPathComponent("\(name).png"))
        try (name == "d" ? "another" : "caption \(image)").write(
          to: images.appendingPathComponent("\(name).txt"), atomically: true, encoding: .utf8)
      }
      let shards = try DatasetReport(
        ShardSource(paths: folder.packing(training, as: "shards", shardSize: 3)))
      #expect(shards.findings.map(\.kind) == [.shards])

      var held = try DatasetReport(CaptionDataset(images))
      let repeated = SourceFinding(
        .repeatedPairs, count: 1, examples: ["\(images.path)/c.png: as \(images.path)/a.png"])
      #expect(held.findings == [repeated])
      held.findImages(of: [])
      #expect(held.findings == [repeated])

      held.findImages(of: [try DatasetReport(MemoryCaptions(count: 2))])
      #expect(held.findings == [repeated])
      held.findImages(of: [try DatasetReport(MemoryCaptions(count: 3)), shards])
      let found = try #require(held.findings.last)
      #expect(found.kind == .alsoTrained && found.count == 4)
      #expect(found.examples[0] == "\(images.path)/a.png: as 2.png")
      #expect(found.examples[1].hasPrefix("\(images.path)/b.png: as "))
      #expect(found.examples[1].contains("shard-000001.tar:"), "\(found.examples)")
      #expect(held.description.contains("also in training            4"), "\(held.description)")
    }
  }

  /// What cannot be read is not taken for equal.
  @Test func brokenImagesAreNoCopies() throws {
    let source = MemoryCaptions(count: 3, broken: [0, 1, 2], captions: { _ in ["one"] })
    var report = try DatasetReport(source)
    report.findImages(of: [report])
    #expect(report.badImages == 3 && report.findings.isEmpty)
  }

  @Test(arguments: [
    ("a cat left of a dog", true), ("The Right hand", true), ("a dog, left", true),
    ("leftovers on a plate", false), ("a bright lamp", false), ("", false),
  ])
  func captionsThatMirroringMakesWrong(_ caption: String, _ isSided: Bool) {
    #expect(DatasetReport.saysSide(caption) == isSided)
  }

  @Test func summaries() {
    #expect(DatasetReport.Summary([]) == nil)
    let summary = DatasetReport.Summary([4, 1, 9, 2])
    #expect(summary?.minimum == 1 && summary?.median == 2 && summary?.maximum == 9)
    #expect(summary?.mean == 4)
  }
}
