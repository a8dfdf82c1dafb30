import CTurboJPEG

/// JPEG through libjpeg-turbo, with its accurate transform and smooth ("fancy") chroma upsampling,
/// as in Pillow. TurboJPEG's calls return codes; no `longjmp` crosses Swift frames.
extension ImageDecoder {
  func readJPEGHeader(
    _ bytes: UnsafeRawBufferPointer
  ) throws -> (size: ImageSize, orientation: EXIFOrientation) {
    let jpeg = try JPEGHandle()
    let header = try jpeg.header(of: bytes)
    let size = try checkSize(width: header.width, height: header.height)
    return (size, EXIFOrientation(inJPEG: bytes))
  }

  func decodeJPEG(
    _ bytes: UnsafeRawBufferPointer
  ) throws -> (image: RGBImage, orientation: EXIFOrientation) {
    let jpeg = try JPEGHandle()
    let header = try jpeg.header(of: bytes)
    let size = try checkSize(width: header.width, height: header.height)
    let image: RGBImage
    if header.isFourChannel {
      let samples = try [UInt8](count: size.width * size.height * 4) { samples in
        try jpeg.decompress(bytes, into: samples, size: size, format: TJPF_CMYK)
      }
      image = Self.convertingInvertedCMYK(samples, size: size)
    } else {
      image = try RGBImage(width: size.width, height: size.height) { pixels in
        try jpeg.decompress(bytes, into: pixels, size: size, format: TJPF_RGB)
      }
    }
    return (image, EXIFOrientation(inJPEG: bytes))
  }

  /// RGB from CMYK that is stored inverted, as Adobe's programs do and Pillow assumes of all
  /// four-channel JPEG: `k - divided255((255 - c) * k)`, without colour profiles.
  private static func convertingInvertedCMYK(_ samples: [UInt8], size: ImageSize) -> RGBImage {
    RGBImage(width: size.width, height: size.height) { pixels in
      for pixel in 0..<(size.width * size.height) {
        let black = Int(samples[pixel * 4 + 3])
        for channel in 0..<3 {
          let product = (255 - Int(samples[pixel * 4 + channel])) * black + 128
          let ink = ((product >> 8) + product) >> 8
          pixels[pixel * 3 + channel] = UInt8(max(0, black - ink))
        }
      }
    }
  }
}

/// One TurboJPEG decompressor.
private final class JPEGHandle {
  private let handle: tjhandle

  init() throws {
    guard let handle = tjInitDecompress() else {
      throw ImageError(reason: .unreadable("TurboJPEG could not be set up"))
    }
    self.handle = handle
  }

  deinit { tjDestroy(handle) }

  func header(
    of bytes: UnsafeRawBufferPointer
  ) throws -> (width: Int, height: Int, isFourChannel: Bool) {
    var (width, height, subsampling, colorSpace): (Int32, Int32, Int32, Int32) = (0, 0, -1, -1)
    let code = tjDecompressHeader3(
      handle, bytes.bindMemory(to: UInt8.self).baseAddress, UInt(bytes.count), &width, &height,
      &subsampling, &colorSpace)
    // Unusual chroma sampling has no TurboJPEG name and counts as an error here, yet decodes.
    guard code == 0 || (width > 0 && height > 0 && colorSpace >= 0) else {
      throw ImageError(reason: .damaged(.jpeg, message))
    }
    let isFourChannel = colorSpace == TJCS_CMYK.rawValue || colorSpace == TJCS_YCCK.rawValue
    return (Int(width), Int(height), isFourChannel)
  }

  /// Writes the image's rows to `output`.
  ///
  /// A warning means damage or a cut file, and is refused, with one exception that does no harm:
  /// stray bytes between segments, which some cameras and editors leave.
  func decompress(
    _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>,
    size: ImageSize, format: TJPF
  ) throws {
    func attempt(_ flags: Int32) -> Bool {
      let code = tjDecompress2(
        handle, bytes.bindMemory(to: UInt8.self).baseAddress, UInt(bytes.count),
        output.baseAddress, Int32(size.width), 0, Int32(size.height), Int32(format.rawValue),
        flags | TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
      return code == 0
    }
    if attempt(TJFLAG_STOPONWARNING) { return }
    if isHarmlessWarning, attempt(0) || isHarmlessWarning { return }
    throw ImageError(reason: .damaged(.jpeg, message))
  }

  private var isHarmlessWarning: Bool {
    // With TJFLAG_STOPONWARNING the code of a warning is that of an error, so the words decide.
    message.contains("extraneous bytes before marker")
  }

  private var message: String { String(cString: tjGetErrorStr2(handle)) }
}
