import Foundation
import Testing

@testable import Datasets

@Suite struct ImageMutationTests {
  /// Damaged files end in a picture of the declared size or in an `ImageError`, soon.
  @Test func mutatedFilesNeverCrash() throws {
    var refused = 0
    var read = 0
    let decoder = ImageDecoder(maximumPixelCount: 4 << 20)
    for (number, golden) in GoldenImage.all.enumerated() {
      let bytes = [UInt8](try Foundation.Data(contentsOf: golden.url))
      for seed in 0..<60 {
        let mutated = mutate(bytes, seed: UInt64(number * 1000 + seed))
        let size = try? decoder.size(of: mutated).size
        do {
          let image = try decoder.decode(bytes: mutated)
          #expect(ImageSize(width: image.width, height: image.height) == size)
          read += 1
        } catch is ImageError {
          refused += 1
        }
      }
    }
    // Both must happen, or the trial says nothing.
    #expect(refused > 400 && read > 50, "\(refused) refused, \(read) read")
  }

  /// PNG checksums stop most damage early; with them mended it reaches the decoder's depths.
  @Test func mutatedPNGWithMendedChecksumsNeverCrash() throws {
    var outcomes = (refused: 0, read: 0)
    let decoder = ImageDecoder(maximumPixelCount: 4 << 20)
    for (number, golden) in GoldenImage.all.enumerated() where golden.file.hasSuffix(".png") {
      let bytes = [UInt8](try Foundation.Data(contentsOf: golden.url))
      for seed in 0..<40 {
        let mutated = mendingChecksums(mutate(bytes, seed: UInt64(90_000 + number * 1000 + seed)))
        do {
          _ = try decoder.decode(bytes: mutated)
          outcomes.read += 1
        } catch is ImageError {
          outcomes.refused += 1
        }
      }
    }
    #expect(outcomes.refused > 100 && outcomes.read > 20, "\(outcomes)")
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
