import Testing

@testable import Datasets

@Suite struct JPEGEncodingTests {
  @Test(arguments: [(1, 1), (17, 9), (320, 240)])
  func decodesToNearlyTheSamePixels(_ size: (Int, Int)) throws {
    // Smooth, as colour is written for four pixels together.
    let image = noise(width: 2, height: 2).resized(to: ImageSize(width: size.0, height: size.1))
    let bytes = try image.jpeg(quality: 95)
    let found = try ImageDecoder().size(of: bytes)
    #expect(found.format == .jpeg)
    #expect(found.size == ImageSize(width: size.0, height: size.1))
    let decoded = try ImageDecoder().decode(bytes: bytes)
    let differences = zip(decoded.pixels, image.pixels).map { abs(Int($0) - Int($1)) }
    #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 6)
    #expect(try image.jpeg(quality: 10).count <= bytes.count)
  }

  @Test func sidesBeyondTheFormatsAreRefused() throws {
    let wide = RGBImage(width: 65_536, height: 1, pixels: [UInt8](repeating: 0, count: 196_608))
    let error = try #require(throws: ImageEncodingError.self) { try wide.jpeg(quality: 90) }
    #expect(error.description.contains("JPEG file: 65536 x 1 pixels"))
  }
}
