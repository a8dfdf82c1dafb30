import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct CaptionEvaluationSetTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["COCO_val2014_000000000042.jpg", "000000000007.jpg", "a.png", "b c.jpg"] {
      try folder.write("", to: name)
    }
  }

  private func set(_ text: String) throws -> CaptionEvaluationSet {
    try CaptionEvaluationSet(file: folder.write(text, to: "set.json"), imageFolder: folder.url)
  }

  private func message(_ text: String) throws -> String {
    let error = #expect(throws: DatasetError.self) { try set(text) }
    return try #require(error).description
  }

  @Test func layoutOfCOCO() throws {
    let set = try set(
      """
      {"info": {"x": [1]}, "licenses": [{}, {}],
       "annotations": [
         {"image_id": 42, "id": 1, "caption": "one"}, {"image_id": "x", "caption": "two"},
         {"image_id": 42, "id": 2, "caption": "three"}],
       "images": [
         {"id": 42, "file_name": "val2014/COCO_val2014_000000000042.jpg"}, {"id": 7},
         {"id": "x", "file_name": "b c.jpg"}]}
      """)
    #expect(set.items.map(\.id) == ["42", "x"])
    #expect(set.items.map(\.references) == [["one", "three"], ["two"]])
    #expect(
      set.items.map(\.image.lastPathComponent) == ["COCO_val2014_000000000042.jpg", "b c.jpg"])
    #expect(set.imagesWithoutCaptions == ["7"])
  }

  @Test func imagesAreFoundByNumber() throws {
    let set = try set(
      """
      {"images": [{"id": 7}, {"id": 42}, {"id": "a"}],
       "annotations": [{"image_id": 7, "caption": "x"}, {"image_id": 42, "caption": "y"},
         {"image_id": "a", "caption": "z"}]}
      """)
    #expect(
      set.items.map(\.image.lastPathComponent)
        == ["000000000007.jpg", "COCO_val2014_000000000042.jpg", "a.png"])
  }

  @Test func lists() throws {
    let set = try set(
      """
      [{"image": "a.png", "caption": ["one", "two"]},
       {"image": "somewhere/b c.jpg", "caption": "three", "image_id": 5},
       {"image": "a.png", "caption": "four"}]
      """)
    #expect(set.items.map(\.id) == ["a.png", "5"])
    #expect(set.items.map(\.references) == [["one", "two", "four"], ["three"]])
    #expect(set.items.map(\.image.lastPathComponent) == ["a.png", "b c.jpg"])
    #expect(set.imagesWithoutCaptions == [])
  }

  @Test func theFileFolderIsTheDefault() throws {
    let file = try folder.write(#"[{"image": "a.png", "caption": "one"}]"#, to: "set.json")
    #expect(try CaptionEvaluationSet(file: file).items[0].image.path == folder.path("a.png"))
  }

  @Test func missingImagesNameWhatWasLookedFor() throws {
    let byNumber = try message(
      "{\"images\": [\n{\"id\": 42}, {\"id\": 43}], \"annotations\": []}")
    for part in [
      "set.json, record 2 (line 2), field \"images.id\"", "COCO_val2014_000000000043.jpg",
      "COCO_train2014_000000000043.jpg", "/000000000043.jpg", "/43.jpg", "/43.png", "/43.webp",
    ] {
      #expect(byNumber.contains(part), "\(byNumber)")
    }
    let byPath = try message(#"[{"image": "d/e.jpg", "caption": "x"}]"#)
    #expect(byPath.contains("/d/e.jpg") && byPath.contains(folder.path("e.jpg")), "\(byPath)")
  }

  @Test(arguments: [
    (#"{"images": [{"id": 7}], "annotations": [{"image_id": 8, "caption": "x"}]}"#, "no image 8"),
    (#"{"images": [{"id": 7}, {"id": 7}], "annotations": []}"#, "earlier image"),
    (#"{"images": [{"id": 7}]}"#, "\"annotations\" is missing"),
    (#"{"images": [{"id": 7}], "images": [], "annotations": []}"#, "appears twice"),
    (#"{"images": [{"id": 7}], "annotations": []}"#, "no pairs"),
    (#"{"images": [{"id": 7.5}], "annotations": []}"#, "images.id"),
    (#"{"images": [{"id": "../a"}], "annotations": []}"#, "images.id"),
    (#"{"images": [{"id": 7}], "annotations": [{"image_id": 7, "caption": " "}]}"#, "is empty"),
    (#"{"images": [{"id": 7}], "annotations": [{"image_id": 7}]}"#, "annotations.caption"),
    (#"{"images": {}, "annotations": []}"#, "list of records under \"images\""),
    (#"{"images": [7], "annotations": []}"#, "expected an object"),
    (#"[{"image": "a.png", "caption": []}]"#, "the list is empty"),
    (#"[{"image": "a.png"}]"#, "\"caption\""),
    (#"[{"image": "", "caption": "x"}]"#, "\"image\""),
    (#"[{"image": "a.png", "caption": "x"}] 1"#, "follows"),
    (
      #"[{"image": "a.png", "caption": "x", "image_id": 1}, {"image": "a.png", "caption": "y"}]"#,
      "earlier record"
    ),
    (
      #"[{"image": "a.png", "caption": "x", "image_id": 1}, "#
        + #"{"image": "b c.jpg", "caption": "y", "image_id": 1}]"#,
      "belongs to a.png"
    ),
    ("[]", "no pairs"), ("", "expected"), ("7", "expected"), ("{", "expected"),
  ])
  func refused(_ text: String, part: String) throws {
    let message = try message(text)
    #expect(message.contains(part), "\(message)")
    #expect(message.contains("set.json"))
  }

  @Test func longTextsAreRefused() throws {
    let long = String(repeating: "x", count: RecordFile.textLimit + 1)
    #expect(try message(#"[{"image": "a.png", "caption": "\#(long)"}]"#).contains("limit"))
    #expect(try message(#"[{"image": "\#(long)", "caption": "x"}]"#).contains("limit"))
  }
}
