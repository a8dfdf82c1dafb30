import Testing

@testable import Datasets

@Suite struct PNGEncodingTests {
  @Test(arguments: [(1, 1), (3, 2), (224, 131), (1, 500)])
  func decodesToTheSamePixels(_ size: (Int, Int)) throws {
    let count = size.0 * size.1 * 3
    let image = RGBImage(
      width: size.0, height: size.1,
      pixels: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
    let bytes = try image.png()
    #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(try ImageDecoder().decode(bytes: bytes) == image)
    #expect(try ImageDecoder().size(of: bytes).format == .png)
  }
}
