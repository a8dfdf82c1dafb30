import Foundation
import Testing

@testable import Datasets

/// What cameras and editors write beside the pixels: orientation in all its forms, and oddities that touch no
/// pixel.
@Suite struct ImageOddityTests {
  private static let image = RGBImage(
    width: 24, height: 16, pixels: (0..<24 * 16 * 3).map { UInt8(truncatingIfNeeded: $0 &* 5 / 7) })

  private func jpeg() throws -> [UInt8] { try Self.image.jpeg(quality: 95) }
  private func decoded(_ bytes: [UInt8]) throws -> RGBImage {
    try ImageDecoder().decode(bytes: bytes)
  }

  /// A TIFF structure with the orientation alone.
  private func tiff(_ orientation: UInt8, big: Bool, isLong: Bool = false) -> [UInt8] {
    func number(_ value: UInt8, _ count: Int) -> [UInt8] {
      let zeros = [UInt8](repeating: 0, count: count - 1)
      return big ? zeros + [value] : [value] + zeros
    }
    let value = isLong ? number(orientation, 4) : number(orientation, 2) + [0, 0]
    return Array((big ? "MM\0*" : "II*\0").utf8) + number(8, 4) + number(1, 2)
      + (big ? [0x01, 0x12] : [0x12, 0x01]) + number(isLong ? 4 : 3, 2) + number(1, 4) + value
      + [0, 0, 0, 0]
  }

  private func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
    [0xFF, marker, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 0xFF)] + body
  }

  private func xmp(_ orientation: Int, isElement: Bool = false) -> [UInt8] {
    Array(
      (isElement
        ? "<x><tiff:Orientation>\(orientation)</tiff:Orientation></x>"
        : "<x tiff:Orientation=\"\(orientation)\"/>").utf8)
  }

  @Test(arguments: 1...8) func orientationOfJPEG(value: UInt8) throws {
    let plain = try jpeg()
    let expected = try decoded(plain).turned(#require(EXIFOrientation(rawValue: UInt16(value))))
    let exif = Array("Exif\0\0".utf8)
    let space = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    let icc = segment(0xE2, Array("ICC_PROFILE\0\u{1}\u{1}".utf8))
    let forms = [
      segment(0xE1, exif + tiff(value, big: false)), segment(0xE1, exif + tiff(value, big: true)),
      segment(0xE1, exif + tiff(value, big: true, isLong: true)),
      segment(0xE1, exif + tiff(value, big: false, isLong: true)),
      icc + segment(0xE1, space + xmp(3)) + segment(0xE1, exif + tiff(value, big: true)),
      segment(0xE1, space + xmp(Int(value))),
      segment(0xE1, space + xmp(Int(value), isElement: true)),
    ]
    for (number, form) in forms.enumerated() {
      #expect(try decoded(plain[..<2] + form + plain[2...]) == expected, "form \(number)")
    }
  }

  @Test(arguments: 1...8) func orientationOfPNG(value: UInt8) throws {
    let expected = Self.image.turned(try #require(EXIFOrientation(rawValue: UInt16(value))))
    let profile = Array("Exif\0\0".utf8) + tiff(value, big: true)
    let digits = profile.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let text = Array(
      "\nexif\n      \(profile.count)\n\(digits.prefix(36))\n\(digits.dropFirst(36))\n".utf8)
    let chunks: [(type: String, body: [UInt8])] = [
      ("eXIf", tiff(value, big: false)), ("eXIf", tiff(value, big: true, isLong: true)),
      ("tEXt", Array("Raw profile type exif\0".utf8) + text),
      ("tEXt", Array("Raw profile type APP1\0".utf8) + text),
      ("iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0".utf8) + xmp(Int(value))),
    ]
    for chunk in chunks {
      #expect(try decoded(PNGMaker.file(Self.image, extra: [chunk])) == expected, "\(chunk.type)")
      // Behind the pixels, before the end, which takes twelve bytes.
      let whole = PNGMaker.file(Self.image, extra: [chunk])
      let plain = PNGMaker.file(Self.image)
      let length = whole.count - plain.count
      let moved =
        plain[..<(plain.count - 12)] + whole[33..<(33 + length)] + plain[(plain.count - 12)...]
      #expect(try decoded(Array(moved)) == expected, "\(chunk.type) behind the pixels")
    }
  }

  @Test(arguments: [
    "tEXt", "zTXt", "iTXt", "gAMA", "cHRM", "iCCP", "eXIf", "pHYs", "tIME", "sPLT", "prVt",
  ])
  func damagedChunksBesideThePixels(type: String) throws {
    let body = Array("Comment\0\0abc".utf8)
    var whole = PNGMaker.file(Self.image, extra: [(type, body)])
    // As it is it breaks the rules of most kinds; then its check sum is wrong.
    #expect(try decoded(whole) == Self.image)
    whole[33 + 8 + body.count] ^= 0x55
    #expect(try decoded(whole) == Self.image)
  }

  @Test func warningsThatTouchNoPixel() throws {
    let plain = try jpeg()
    let expected = try decoded(plain)
    let scan = try #require(
      plain.indices.dropLast().first { plain[$0] == 0xFF && plain[$0 + 1] == 0xDA })
    let parameters = scan + 2 + Int(plain[scan + 3])
    var oddities: [String: [UInt8]] = [:]
    let version = try #require(plain.indices.first { plain[$0...].starts(with: "JFIF\0".utf8) }) + 5
    oddities["JFIF 0"] = plain[..<version] + [0] + plain[(version + 1)...]
    oddities["JFIF 9"] = plain[..<version] + [9] + plain[(version + 1)...]
    oddities["scan"] = plain[..<(parameters - 3)] + [0, 0, 0] + plain[parameters...]
    let adobe = segment(0xEE, Array("Adobe\0\u{64}\0\0\0\0\u{3}".utf8))
    // Without JFIF's segment, or Adobe's is not looked at.
    oddities["Adobe 3"] = plain[..<2] + adobe + plain[(4 + Int(plain[5]))...]
    oddities["bytes between"] = plain[..<2] + adobe + [0, 0, 0] + plain[2...]
    oddities["bytes behind"] =
      plain[..<(plain.count - 2)] + [0, 0, 0, 0, 0] + plain[(plain.count - 2)...]
    for (name, bytes) in oddities {
      #expect(try decoded(bytes) == expected, "\(name)")
      // None of them hides that the file is cut.
      for end in [bytes.count * 2 / 3, bytes.count - 2] {
        #expect(throws: ImageError.self, "\(name)") { try decoded(Array(bytes[..<end])) }
      }
    }
  }

  @Test func otherKindsAreNamed() throws {
    for (bytes, words) in [
      ([0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0, 0] as [UInt8], "GIF"),
      (Array("<!DOCTYPE html>".utf8), "HTML"),
      (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "git lfs pull"),
    ] {
      let error = #expect(throws: ImageError.self) { try decoded(bytes) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }
}
