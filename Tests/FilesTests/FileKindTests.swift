import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct FileKindTests {
  /// Bytes, a text after them, how many zeros behind, and words that the kind is to have.
  struct Sample: Sendable {
    let bytes: [UInt8]
    let words: String

    init(_ bytes: [UInt8] = [], _ text: String = "", zeros: Int = 0, is words: String) {
      self.bytes = bytes + Array(text.utf8) + [UInt8](repeating: 0, count: zeros)
      self.words = words
    }
  }

  private static let texts: [Sample] = [
    Sample(
      [], "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", is: "git lfs pull"),
    Sample([], "<!DOCTYPE html><html></html>", is: "HTML"), Sample([], "\n <html>", is: "HTML"),
    Sample([], "Entry not found", is: "error message"),
    Sample([], "404: Not Found", is: "error message"),
    Sample(
      [], "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", is: "error message"),
    Sample([], "<svg xmlns=\"x\"/>", is: "SVG"),
    Sample([], "<?xml version=\"1.0\"?>\n<svg/>", is: "SVG"),
    Sample([], "%PDF-1.7", is: "PDF"), Sample([], "{'image': 'a.jpg'}", is: "json.dumps"),
    Sample([0xFF, 0xFE, 0x5B, 0], is: "UTF-16"), Sample([0xFF, 0xFE, 0, 0], is: "UTF-32"),
    Sample([0x69, 0, 0x6D, 0, 0x61, 0, 0x67, 0, 0x65, 0], is: "UTF-16"), Sample(is: "empty"),
  ]

  private static let archives: [Sample] = [
    Sample([0x1F, 0x8B, 8], zeros: 9, is: "gunzip"),
    Sample([], "BZh91AY&SY", zeros: 9, is: "bunzip2"),
    Sample([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], is: "unxz"),
    Sample([0x28, 0xB5, 0x2F, 0xFD], is: "unzstd"),
    Sample([], "PK\u{3}\u{4}", zeros: 30, is: "unzip"),
    Sample([], "PK\u{3}\u{4}a/data.pkl", is: "torch.save"),
    Sample([], "PK\u{3}\u{4}a/constants.pkl", is: "TorchScript"),
    Sample([], "PK\u{3}\u{4}x.npy", is: "NumPy"),
    Sample([0x89], "HDF\r\n\u{1A}\n", is: "HDF5"), Sample([], "PAR1", zeros: 9, is: "Parquet"),
    Sample([], "ARROW1\0\0", is: "Arrow"), Sample([8, 8, 0x12, 7], "pytorch", is: "ONNX"),
    Sample([8, 1, 0x12, 7], "abc", is: "TensorFlow"), Sample([0x93], "NUMPY", is: "NumPy array"),
    Sample([0x80, 4], zeros: 9, is: "pickle"), Sample([0x81, 0xA6], "params", is: "MessagePack"),
    Sample([UInt8](repeating: 0x61, count: 257), "ustar\0", is: "tar file"),
    Sample([], "GGUF\u{3}\0\0\0", is: "GGUF"),
    Sample([0x40, 0, 0, 0, 0, 0, 0, 0], "{\"a\"", is: "safetensors"),
  ]

  private static let images: [Sample] = [
    Sample([], "GIF89a", zeros: 9, is: "GIF"), Sample([], "II*\0", zeros: 9, is: "TIFF"),
    Sample([], "MM\0*", is: "TIFF"), Sample([], "BM6", zeros: 20, is: "BMP"),
    Sample([0, 0, 0, 0x18], "ftypavif\0\0\0\0avif", is: "AVIF"),
    Sample([0, 0, 0, 0x18], "ftypmif1\0\0\0\0mif1heic", is: "HEIC"),
    Sample([0, 0, 0, 0x18], "ftypmif1\0\0\0\0mif1avif", is: "AVIF"),
    Sample([0, 0, 0, 12], "jP  ", is: "JPEG 2000"), Sample([0xFF, 0x0A], is: "JPEG XL"),
  ]

  @Test(arguments: texts + archives + images)
  func kindsAreNamed(sample: Sample) throws {
    let kind = try #require(FileKind(sample.bytes))
    #expect(kind.description.contains(sample.words), "\(kind)")
    #expect(FileKind.words(sample.bytes) == "is \(kind)")
  }

  /// What people write is no kind of file.
  @Test(arguments: [
    "a red car", "BMW on a street", "RIFF of a guitar", "ggml in a box", "PAR1 golf course",
    "{\"image\": \"a.jpg\"}", "[{\"image\"", "image,caption\na.jpg,x", "output: runs/a\n",
  ])
  func textsAreNone(text: String) {
    #expect(FileKind(Array(text.utf8)) == nil, "\(text)")
  }

  @Test func beginningsThatNobodyKnowsAreShown() {
    #expect(FileKind.words(Array("hello\nworld".utf8)) == "is a text that begins with \"hello\"")
    #expect(FileKind.words([0x01, 0xFE]) == "begins with the bytes 01 fe")
    #expect(FileKind(Array("404 Not Found".utf8))?.isPlainText == true)
  }

  @Test func noBytesCrash() {
    var generator = SeededGenerator(7)
    for _ in 0..<5_000 {
      let count = Int.random(in: 0...300, using: &generator)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      _ = FileKind.words(bytes)
    }
  }

  @Test func homeFolder() {
    let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
    #expect(FilePath.withHome("~/a") == "\(home)/a" || home.isEmpty)
    for path in ["~a/b", "a/~", "", "./~/x"] { #expect(FilePath.withHome(path) == path) }
  }
}
