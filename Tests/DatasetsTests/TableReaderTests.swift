import Foundation
import Testing

@testable import Datasets

@Suite struct TableReaderTests {
  private func dataset(_ bytes: [UInt8], name: String) throws -> CaptionDataset {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent(name)
      try Foundation.Data(bytes).write(to: file)
      return try CaptionDataset(file)
    }
  }

  private func dataset(_ text: String, name: String = "list.csv") throws -> CaptionDataset {
    try dataset(Array(text.utf8), name: name)
  }

  private func captions(_ set: CaptionDataset) -> [[String]] {
    (0..<set.imageCount).map { set.record(at: $0).captions }
  }

  private func paths(_ set: CaptionDataset) -> [String] {
    (0..<set.imageCount).map { set.record(at: $0).listedPath }
  }

  @Test(arguments: [
    ("image,caption\na.jpg,x\nb.jpg,y\n", "list.csv"),
    ("\u{FEFF}image,caption\r\na.jpg,x\r\nb.jpg,y", "list.csv"),
    ("filepath\ttitle\na.jpg\tx\nb.jpg\ty\n", "list.csv"),
    ("filepath\ttitle\na.jpg\tx\nb.jpg\ty\n", "list.TSV"),
    ("x,FILE, Text \n1,a.jpg,x\n\n\n2,b.jpg,y\n", "list.csv"),
    ("image_path,caption\ra.jpg,x\rb.jpg,y\r", "list.csv"),
    ("path,captions,url\n\"a.jpg\",\"x\",\"\"\n\"b.jpg\",\"y\",u", "list.CSV"),
  ])
  func columnsAreFoundByName(text: String, name: String) throws {
    let set = try dataset(text, name: name)
    #expect(paths(set) == ["a.jpg", "b.jpg"])
    #expect(captions(set) == [["x"], ["y"]])
  }

  @Test func quotedFieldsHoldAnything() throws {
    let set = try dataset(
      "image,caption\n\"a,b.jpg\",\"two\nlines, \"\"quoted\"\"\r\n\"\nc.jpg,5\" wide\n")
    #expect(paths(set) == ["a,b.jpg", "c.jpg"])
    #expect(captions(set) == [["two\nlines, \"quoted\"\r\n"], ["5\" wide"]])
    let tabs = try dataset("image\tcaption\na\tone, two\nb\t\"tab\there\"\n", name: "list.tsv")
    #expect(captions(tabs) == [["one, two"], ["tab\there"]])
  }

  @Test func rowsOfOnePathAreOneImage() throws {
    let set = try dataset(
      "image,caption,image_id\na,one,7\nb,two,\na,three,7\nc,four,7\nd,five,\n")
    #expect(captions(set) == [["one", "three"], ["two"], ["four"], ["five"]])
    #expect((0..<4).map { set.record(at: $0).imageId } == [0, 1, 0, 2])
    #expect((0..<4).map { set.record(at: $0).givenId } == ["7", nil, "7", nil])
    #expect(set.pairCount == 5 && set.count == 4)
  }

  /// Several synthetic captions of an image (CapFilt): each visit draws one.
  @Test func captionsMayBeAList() throws {
    let set = try dataset(
      "image,captions\na,\"[\"\"one\"\", \"\"two\"\", \"\"three\"\"]\"\nb,plain [not a list]\n")
    #expect(captions(set) == [["one", "two", "three"], ["plain [not a list]"]])
    let drawn = (0..<60).map { set.sample(at: 0, seed: 1, epoch: $0).caption }
    #expect(Set(drawn) == ["one", "two", "three"])
    // Elsewhere a bracket is a character like others.
    #expect(captions(try dataset("image,caption\na,[1]\n")) == [["[1]"]])
  }

  @Test(arguments: [
    ("image,caption\na,b\nc\n", 3, 2, "image", "1 fields, expected 2"),
    ("image,caption\na,\"x\ny\"\nc,d,e\n", 4, 2, "caption", "quotation marks"),
    ("image,caption\n\n,b\n", 3, 1, "image", "path"),
    ("filepath,title\nx,  \n", 2, 1, "title", "empty"),
    ("image,caption,image_id\na,b,1\na,c,2\n", 3, 2, "image_id", "earlier record"),
    ("image,captions\na,[1]\n", 2, 1, "captions", "expected a text"),
    ("image,captions\na,[x\n", 2, 1, "captions", "no JSON list"),
  ])
  func badRowsAreNamed(
    text: String, line: Int, record: Int, field: String, words: String
  ) throws {
    let error = #expect(throws: DatasetError.self) { try dataset(text) }
    guard case .badRecord(_, record, line, field, let problem) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(problem.contains(words))
  }

  @Test(arguments: [
    ("image,text,caption\na,b,c\n", 1, "both text and caption"),
    ("url,caption\na,b\n", 1, "expected a column image"),
    ("\n\nimage\ttags\na\tb\n", 3, "expected a column"),
    ("image,caption\na,\"b\nc\n", 2, "never closed"),
    ("image,caption\na,\"b\"c\n", 2, "after a closing quotation mark"),
    (String(repeating: "x,", count: 5000), 1, "columns"),
    ("image,caption\na," + String(repeating: "x", count: 2 << 20), 2, "quotation mark missing"),
  ])
  func malformedTablesAreRefused(text: String, line: Int, words: String) {
    let error = #expect(throws: DatasetError.self) { try dataset(text) }
    guard case .malformed(_, line, let problem) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(problem.contains(words), "\(problem)")
    #expect(problem.utf8.count < 2000)
  }

  @Test func emptyTablesAndInvalidTextAreRefused() throws {
    for text in ["", "\n", "image,caption", "image,caption\r\n\r\n"] {
      let error = #expect(throws: DatasetError.self) { try dataset(text) }
      guard case .noSamples = error else {
        Issue.record("\(text): \(String(describing: error))")
        continue
      }
    }
    let bytes = Array("image,caption\na,".utf8) + [0xFF, 0x0A]
    let error = #expect(throws: DatasetError.self) { try dataset(bytes, name: "a.csv") }
    #expect("\(String(describing: error))".contains("UTF-8"))
  }
}
