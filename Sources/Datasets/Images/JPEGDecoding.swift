import CTurboJPEG

/// JPEG through libjpeg-turbo, with its accurate transform and smooth ("fancy") chroma upsampling,
/// as in Pillow. TurboJPEG's calls return codes; no `longjmp` crosses Swift frames.
final class JPEGFile: ImageFile {
  let size: ImageSize
  private let bytes: UnsafeRawBufferPointer
  private let isFourChannel: Bool
  private let handle: tjhandle

  init(_ bytes: UnsafeRawBufferPointer) throws {
    guard let handle = tjInitDecompress() else {
      throw ImageError(reason: .unreadable("TurboJPEG could not be set up"))
    }
    var (width, height, subsampling, colorSpace): (Int32, Int32, Int32, Int32) = (0, 0, -1, -1)
    let code = tjDecompressHeader3(
      handle, bytes.bindMemory(to: UInt8.self).baseAddress, UInt(bytes.count), &width, &height,
      &subsampling, &colorSpace)
    self.handle = handle
    self.bytes = bytes
    size = ImageSize(width: Int(width), height: Int(height))
    isFourChannel = colorSpace == TJCS_CMYK.rawValue || colorSpace == TJCS_YCCK.rawValue
    // Unusual chroma sampling has no TurboJPEG name and counts as an error here, yet decodes.
    guard code == 0 || (width > 0 && height > 0 && colorSpace >= 0) else {
      throw ImageError(reason: .damaged(.jpeg, message))
    }
  }

  deinit { tjDestroy(handle) }

  var orientation: EXIFOrientation { EXIFOrientation(inJPEG: bytes) }

  func image(_ options: ImageDecoding) throws -> RGBImage {
    guard isFourChannel else { return try RGBImage(size) { try decompress(into: $0, TJPF_RGB) } }
    let samples = try [UInt8](count: size.pixelCount * 4) { try decompress(into: $0, TJPF_CMYK) }
    return Self.convertingInvertedCMYK(samples, size: size)
  }

  /// RGB from CMYK that is stored inverted, as Adobe's programs do and Pillow assumes of all
  /// four-channel JPEG: `k - divided255((255 - c) * k)`, without colour profiles.
  private static func convertingInvertedCMYK(_ samples: [UInt8], size: ImageSize) -> RGBImage {
    RGBImage(size) { pixels in
      for pixel in 0..<size.pixelCount {
        let black = Int(samples[pixel * 4 + 3])
        for channel in 0..<3 {
          let product = (255 - Int(samples[pixel * 4 + channel])) * black + 128
          let ink = ((product >> 8) + product) >> 8
          pixels[pixel * 3 + channel] = UInt8(max(0, black - ink))
        }
      }
    }
  }

  /// Writes the image's rows to `output`.
  ///
  /// A warning means damage or a cut file, and is refused, but for those that touch no pixel. The library
  /// names the first warning only: the file is decoded again without its cause, so that none hides another.
  private func decompress(
    into output: UnsafeMutableBufferPointer<UInt8>, _ format: TJPF
  ) throws {
    func attempt(_ bytes: UnsafeRawBufferPointer, _ flags: Int32) -> Bool {
      let code = tjDecompress2(
        handle, bytes.bindMemory(to: UInt8.self).baseAddress, UInt(bytes.count),
        output.baseAddress, Int32(size.width), 0, Int32(size.height), Int32(format.rawValue),
        flags | TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
      return code == 0
    }
    if attempt(bytes, TJFLAG_STOPONWARNING) { return }
    let segments = JPEGSegment.all(in: bytes, pastScans: true)
    let isDecoded = JPEGSegment.withoutOddities(segments, of: bytes).withUnsafeBytes { plain in
      if attempt(plain, TJFLAG_STOPONWARNING) { return true }
      // After the scan, of which nothing is missing where the end of the image follows.
      guard hasStrayBytes, segments.last?.marker == 0xD9 else { return false }
      return attempt(plain, 0) || hasStrayBytes
    }
    if !isDecoded { throw ImageError(reason: .damaged(.jpeg, message)) }
  }

  /// With TJFLAG_STOPONWARNING the code of a warning is that of an error, so the words decide.
  private var hasStrayBytes: Bool { message.contains("extraneous bytes before marker") }

  private var message: String { String(cString: tjGetErrorStr2(handle)) }
}

/// A marker of a JPEG file with what it holds.
struct JPEGSegment {
  let marker: UInt8
  /// What follows the length; of a scan only its parameters.
  let body: Range<Int>
  /// Where the numbers of a scan end; for others where the body ends.
  private(set) var end: Int

  /// The segments in their order, whatever bytes stand between them.
  /// - Parameter pastScans: Whether to go on after the first scan's parameters, to the end of the image.
  static func all(in bytes: UnsafeRawBufferPointer, pastScans: Bool) -> [JPEGSegment] {
    var segments: [JPEGSegment] = []
    var offset = 2
    while offset + 1 < bytes.count {
      let marker = bytes[offset + 1]
      // Filling bytes and numbers of a scan are no markers, nor are its restarts.
      guard bytes[offset] == 0xFF, marker != 0xFF, marker != 0, !(0xD0...0xD8).contains(marker),
        marker != 1
      else {
        offset += 1
        continue
      }
      if segments.last?.marker == 0xDA { segments[segments.count - 1].end = offset }
      guard marker != 0xD9, offset + 3 < bytes.count else {
        if marker == 0xD9 {
          segments.append(.init(marker: marker, body: offset + 2..<offset + 2, end: offset + 2))
        }
        break
      }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      guard length >= 2, offset + 2 + length <= bytes.count else { break }
      let body = offset + 4..<offset + 2 + length
      segments.append(.init(marker: marker, body: body, end: body.upperBound))
      offset = body.upperBound
      if marker == 0xDA {
        if !pastScans { break }
        segments[segments.count - 1].end = bytes.count
      }
    }
    return segments
  }

  /// The file without what decoders warn of and do not look at: bytes between segments, an unknown version
  /// of JFIF, an unknown colour transform of Adobe's, which means the usual one, and parameters of
  /// progressive scans in a sequential image.
  static func withoutOddities(
    _ segments: [JPEGSegment], of bytes: UnsafeRawBufferPointer
  ) -> [UInt8] {
    let frame = segments.first {
      (0xC0...0xCF).contains($0.marker) && ![0xC4, 0xC8, 0xCC].contains($0.marker)
    }
    let isSequential = frame.map { [0xC0, 0xC1, 0xC9].contains($0.marker) } ?? false
    let components = frame.flatMap { $0.body.count > 5 ? bytes[$0.body.lowerBound + 5] : nil }
    var result: [UInt8] = [0xFF, 0xD8]
    for segment in segments {
      result += [0xFF, segment.marker]
      if segment.marker == 0xD9 { break }
      let length = segment.body.count + 2
      var body = Array(bytes[segment.body])
      switch segment.marker {
      case 0xE0 where body.starts(with: "JFIF\0".utf8) && body.count > 5: body[5] = 1
      case 0xEE where body.starts(with: "Adobe".utf8) && body.count > 11 && body[11] > 2:
        body[11] = components == 4 ? 2 : 1
      case 0xDA where isSequential && body.count > 3:
        body.replaceSubrange((body.count - 3)..., with: [0, 63, 0])
      default: break
      }
      result += [UInt8(length >> 8), UInt8(length & 0xFF)] + body
      result += bytes[segment.body.upperBound..<segment.end]
    }
    return result
  }
}
