import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Damaged lists end in samples or in a `DatasetError`, soon.
@Suite struct ListFuzzTests {
  private static let samples = [
    #"[{"image": "a\u00e9\ud83d\ude00", "caption": ["b", "c\\d"], "image_id": -15, "x": {"y": [null, true, 1.5e+7]}}]"#,
    #"{"image": "a.jpg", "caption": "one", "image_id": "x"}\#n{"image_id": 7, "captions": ["two", "é"], "image": "b/b.png"}"#,
    "\u{FEFF}[\n  {\"image\": \"/c\", \"caption\": \"three\", \"more\": [[[[{}]]]]}\n]\n",
    #"[{"image": "caf\udce9/\udcff\udbff\udfff", "caption": "four"}, {"image": "\udcc3\udca9", "caption": "x"}]"#,
  ].enumerated().map { FuzzRun.Sample(name: "list \($0.offset)", bytes: Array($0.element.utf8)) }

  @Test func lists() throws {
    let folder = try TemporaryFolder()
    let run = FuzzRun(reader: "list", samples: Self.samples) { $0 is DatasetError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      let file = try folder.replace("list.json", with: bytes)
      let set = try CaptionDataset(file, captions: .all)
      let captions = (0..<set.imageCount).map { set.record(at: $0).captions.count }
      #expect(captions.reduce(0, +) == set.pairCount && !captions.contains(0))
      for number in 0..<set.count { _ = set.sample(at: number, seed: 1, epoch: 0) }
    }
    #expect(report.problems == [])
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > count / 20 && report.refused > count / 10, "\(report)")
  }

  @Test func tables() throws {
    let samples =
      [
        "image,captions,image_id\r\na.jpg,\"[\"\"x\"\",\"\"y\"\"]\",1\r\n\"b,c.jpg\",plain,2\n",
        "\u{FEFF}filepath\ttitle\na.png\tone\nb.png\ttwo\na.png\tthree\n",
      ].enumerated().map {
        FuzzRun.Sample(name: "table \($0.offset)", bytes: Array($0.element.utf8))
      }
      + [
        FuzzRun.Sample(
          name: "table of bytes", bytes: Array("path,text\nc".utf8) + [0xE9, 0x2C, 0x61])
      ]
    let folder = try TemporaryFolder()
    let run = FuzzRun(reader: "table", samples: samples) { $0 is DatasetError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      let set = try CaptionDataset(folder.replace("list.csv", with: bytes), captions: .all)
      for number in 0..<set.count { _ = set.sample(at: number, seed: 1, epoch: 0) }
    }
    #expect(report.problems == [])
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > count / 20 && report.refused > count / 20, "\(report)")
  }
}
