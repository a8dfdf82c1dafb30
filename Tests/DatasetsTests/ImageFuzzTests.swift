import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Damaged images end in an image of the size they declare or in an `ImageError`, soon.
@Suite struct ImageFuzzTests {
  private func fuzz(
    _ reader: String, _ endings: [String],
    damage: (inout Mutator, [UInt8], [UInt8]) -> [UInt8]
  ) throws {
    let files = endings.flatMap { Goldens.files(in: "images", ending: $0) }
    // Many pixels take long without showing more.
    let decoder = ImageDecoder(maximumPixelCount: 4 << 20)
    let run = FuzzRun(reader: reader, samples: try files.map { try FuzzRun.Sample($0) }) {
      $0 is ImageError
    }
    let report = run.run(damage: damage) { bytes in
      let declared = try? decoder.size(of: bytes).size
      let image = try decoder.decode(bytes: bytes)
      #expect(ImageSize(width: image.width, height: image.height) == declared)
      #expect(image.pixels.count == image.width * image.height * 3)
    }
    #expect(report.problems == [])
    // Both must happen, or the trial says nothing.
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > count / 50 && report.refused > count / 10, "\(report)")
  }

  @Test(arguments: [("jpeg", [".jpg"]), ("png", [".png"]), ("webp", [".webp"])])
  func image(reader: String, endings: [String]) throws {
    try fuzz(reader, endings) { mutator, bytes, other in mutator.mutated(bytes, with: other) }
  }

  /// PNG's checksums stop most damage early; with them mended it reaches the decoder's depths.
  @Test func pngWithMendedChecksums() throws {
    try fuzz("png-mended", [".png"]) { mutator, bytes, other in
      // Damage to the packed pixels mostly ends there; half of it is kept to the chunks before them.
      var pixels = bytes.count
      if mutator.below(2) == 0 {
        pixels = bytes.indices.first { bytes[$0...].starts(with: "IDAT".utf8) } ?? bytes.count
      }
      return mendingChecksums(
        mutator.mutated(Array(bytes[..<pixels]), with: other) + bytes[pixels...])
    }
  }

  private func mendingChecksums(_ file: [UInt8]) -> [UInt8] {
    var file = file
    var place = 8
    while place + 12 <= file.count {
      let length = file[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
      guard place + 12 + length <= file.count else { break }
      let body = Array(file[(place + 4)..<(place + 8 + length)])
      let end = place + 8 + length
      file.replaceSubrange(end..<(end + 4), with: PNGMaker.bigEndian(Int(PNGMaker.crc(body))))
      place = end + 4
    }
    return file
  }
}
