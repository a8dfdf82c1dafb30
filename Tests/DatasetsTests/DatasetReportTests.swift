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
