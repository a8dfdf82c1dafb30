import Files
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ImageDecodingTests {
  @Test(arguments: GoldenImage.all) func decodesWhatPillowDecodes(golden: GoldenImage) throws {
    let image = try ImageDecoder(.original).decode(file: golden.url)
    #expect(image.width == golden.width && image.height == golden.height)
    let found = difference(image, try golden.image("rgb"))
    #expect(found.largest <= (golden.exact ? 0 : 2), "\(found)")
  }

  @Test(arguments: GoldenImage.all) func sizeIsReadFromTheHeader(golden: GoldenImage) throws {
    let header = try ImageDecoder(.original).size(of: golden.url)
    #expect(header.size == ImageSize(width: golden.width, height: golden.height))
    let turned = try ImageDecoder().decode(file: golden.url)
    let turnedSize = try ImageDecoder().size(of: golden.url).size
    #expect(turnedSize == ImageSize(width: turned.width, height: turned.height))
  }

  @Test(arguments: GoldenImage.all.filter(\.blended))
  func transparencyIsBlendedOntoWhite(golden: GoldenImage) throws {
    let options = ImageDecoding(transparency: .white)
    let image = try ImageDecoder(options).decode(file: golden.url)
    let small = image.resized(to: ImageSize(width: 32, height: 32))
    let values = [Float](count: 3 * 32 * 32) { ImageNormalization.clip.write(small, into: $0) }
    let expected = try golden.floats("normalised_32_on_white")
    let largest = zip(values, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(largest <= 1e-5)
  }

  @Test func orientationIsApplied() throws {
    let golden = try #require(GoldenImage.all.first { $0.file == "jpeg-exif6.jpg" })
    let image = try ImageDecoder().decode(file: golden.url)
    let found = difference(image, try golden.image("rgb_turned"))
    #expect(found.largest <= 2, "\(found)")
  }

  @Test func sixteenBitGrayIsScaled() throws {
    let values: [UInt16] = [0, 128, 129, 255, 256, 385, 386, 32767, 32768, 65406, 65407, 65535]
    let file = PNGMaker.file(
      width: 6, height: 2, bitDepth: 16, colorType: 0,
      samples: values.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] },
      extra: [("tRNS", [0x01, 0x00])])
    let scaled = try ImageDecoder(ImageDecoding(transparency: .original)).decode(bytes: file)
    let expected: [UInt8] = [0, 0, 1, 1, 1, 1, 2, 127, 128, 254, 255, 255]
    #expect(scaled.pixels == expected.flatMap { [$0, $0, $0] })
    let cut = try ImageDecoder(.original).decode(bytes: file)
    #expect(cut.pixels == values.flatMap { Array(repeating: UInt8(min($0, 255)), count: 3) })
    // The value that tRNS marks, and it alone, shows the white paper.
    let onWhite = try ImageDecoder().decode(bytes: file)
    #expect(onWhite.pixels[12] == 255)
    #expect((0..<12).count { onWhite.pixels[$0 * 3] != scaled.pixels[$0 * 3] } == 1)
  }

  /// A 2 x 3 image numbered 0...5, and what its first channel is when seen upright.
  @Test(arguments: [
    (1, 2, [0, 1, 2, 3, 4, 5]), (2, 2, [1, 0, 3, 2, 5, 4]), (3, 2, [5, 4, 3, 2, 1, 0]),
    (4, 2, [4, 5, 2, 3, 0, 1]), (5, 3, [0, 2, 4, 1, 3, 5]), (6, 3, [4, 2, 0, 5, 3, 1]),
    (7, 3, [5, 3, 1, 4, 2, 0]), (8, 3, [1, 3, 5, 0, 2, 4]), (9, 2, [0, 1, 2, 3, 4, 5]),
  ])
  func everyOrientationIsTurnedUpright(value: Int, width: Int, expected: [UInt8]) throws {
    let stored = RGBImage(width: 2, height: 3, pixels: (0..<6).flatMap { [UInt8($0), 0, 0] })
    let little = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0]
    let big = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0]
    for exif in [little, big] {
      let file = PNGMaker.file(stored, extra: [("eXIf", exif.map { UInt8($0) })])
      let image = try ImageDecoder().decode(bytes: file)
      #expect(image.width == width)
      #expect((0..<6).map { image.pixels[$0 * 3] } == expected)
      #expect(try ImageDecoder(.original).decode(bytes: file) == stored)
    }
  }

  @Test(arguments: GoldenImage.broken) func brokenFilesAreRefused(file: String) throws {
    let url = Goldens.folder.appendingPathComponent("images/\(file)")
    for options in [ImageDecoding(), .original] {
      let error = #expect(throws: ImageError.self) { try ImageDecoder(options).decode(file: url) }
      #expect(error?.file == url.path)
      #expect(error?.description.hasPrefix(url.path) == true)
    }
  }

  @Test(arguments: GoldenImage.all) func filesCutShortAreRefused(golden: GoldenImage) throws {
    let bytes = [UInt8](try Foundation.Data(contentsOf: golden.url))
    // Half of the file never holds all pixels, nor does a third less than all of it.
    for length in [1, 4, bytes.count / 4, bytes.count / 2, bytes.count * 2 / 3] {
      #expect(throws: ImageError.self, "\(length) bytes") {
        try ImageDecoder(.original).decode(bytes: Array(bytes[..<length]))
      }
    }
  }

  /// Some cameras leave stray bytes between segments; Pillow reads such files too.
  @Test func strayBytesBetweenSegmentsDoNoHarm() throws {
    let golden = try #require(GoldenImage.all.first { $0.file == "jpeg-420.jpg" })
    let bytes = [UInt8](try Foundation.Data(contentsOf: golden.url))
    let firstSegmentEnd = 4 + Int(bytes[4]) << 8 + Int(bytes[5])
    let stray = bytes[..<firstSegmentEnd] + [0, 0, 0] + bytes[firstSegmentEnd...]
    #expect(
      try ImageDecoder().decode(bytes: Array(stray)) == ImageDecoder().decode(bytes: bytes))
  }

  /// A WebP file with a header of the extended kind around a plain file's bitstream.
  private func extendedWebP(flags: UInt8, extra: [UInt8]) throws -> [UInt8] {
    let golden = try #require(GoldenImage.all.first { $0.file == "webp-lossless.webp" })
    let plain = [UInt8](try Foundation.Data(contentsOf: golden.url))
    let canvas: [UInt8] = [UInt8(golden.width - 1), 0, 0, UInt8(golden.height - 1), 0, 0]
    let header = Array("VP8X".utf8) + [10, 0, 0, 0, flags, 0, 0, 0] + canvas
    let body = Array("WEBP".utf8) + header + plain[12...] + extra
    return Array("RIFF".utf8) + PNGMaker.bigEndian(body.count).reversed() + body
  }

  @Test func orientationOfWebPIsApplied() throws {
    let tiff: [UInt8] = [
      0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0,
    ]
    let plain = try ImageDecoder().decode(bytes: extendedWebP(flags: 0, extra: []))
    for exif in [tiff, Array("Exif\0\0".utf8) + tiff] {
      let chunk = Array("EXIF".utf8) + [UInt8(exif.count), 0, 0, 0] + exif
      let turned = try ImageDecoder().decode(bytes: extendedWebP(flags: 8, extra: chunk))
      #expect(turned == plain.turned(.quarterTurnLeft) && turned.width == plain.height)
    }
  }

  @Test func animationsAreRefused() throws {
    let file = try extendedWebP(flags: 2, extra: [])
    let error = #expect(throws: ImageError.self) { try ImageDecoder().decode(bytes: file) }
    guard case .unsupported(.webP, _) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func theNameOfAFileDoesNotMatter() throws {
    let golden = try #require(GoldenImage.all.first { $0.file == "rgb.png" })
    try withTemporaryFolder { folder in
      let copy = folder.appendingPathComponent("really-a-png.jpg")
      try FileManager.default.copyItem(at: golden.url, to: copy)
      #expect(try ImageDecoder().size(of: copy).format == .png)
      #expect(try ImageDecoder().decode(file: copy) == golden.image("rgb"))
    }
  }

  @Test(arguments: ["rgb.png", "jpeg-420.jpg", "webp-lossy.webp"])
  func sizesBeyondTheLimitAreRefused(file: String) throws {
    let golden = try #require(GoldenImage.all.first { $0.file == file })
    let pixels = golden.width * golden.height
    #expect(throws: Never.self) {
      try ImageDecoder(maximumPixelCount: pixels).decode(file: golden.url)
    }
    let error = #expect(throws: ImageError.self) {
      try ImageDecoder(maximumPixelCount: pixels - 1).decode(file: golden.url)
    }
    #expect(
      error?.reason
        == .unacceptableSize(width: golden.width, height: golden.height, limit: pixels - 1))
    let bytes = try #require(try BoundedFile.size(of: golden.url.path))
    let tooLong = #expect(throws: ImageError.self) {
      try ImageDecoder(maximumFileSize: bytes - 1).decode(file: golden.url)
    }
    #expect(tooLong?.reason == .fileTooLarge(bytes: bytes, limit: bytes - 1))
  }

  @Test func foldersPipesAndMissingFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      let folderError = #expect(throws: ImageError.self) { try ImageDecoder().decode(file: folder) }
      #expect(folderError?.reason == .notAFile)
      let pipe = folder.appendingPathComponent("pipe.jpg")
      #expect(mkfifo(pipe.path, 0o600) == 0)
      let pipeError = #expect(throws: ImageError.self) { try ImageDecoder().decode(file: pipe) }
      #expect(pipeError?.reason == .notAFile)
      let missing = folder.appendingPathComponent("missing.jpg")
      let error = #expect(throws: ImageError.self) { try ImageDecoder().decode(file: missing) }
      #expect(error?.reason == .unreadable("No such file or directory"))
    }
  }
}

/// Runs `body` with a folder that is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("datasets-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
