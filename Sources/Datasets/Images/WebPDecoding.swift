import CWebP

/// WebP through libwebp. Animations are refused: which of the images a caption means is unknown.
extension ImageDecoder {
  func readWebPHeader(
    _ bytes: UnsafeRawBufferPointer
  ) throws -> (size: ImageSize, orientation: EXIFOrientation) {
    let features = try webPFeatures(bytes)
    let size = try checkSize(width: Int(features.width), height: Int(features.height))
    return (size, EXIFOrientation(inWebP: bytes))
  }

  func decodeWebP(
    _ bytes: UnsafeRawBufferPointer
  ) throws -> (image: RGBImage, orientation: EXIFOrientation) {
    let features = try webPFeatures(bytes)
    let size = try checkSize(width: Int(features.width), height: Int(features.height))
    let image: RGBImage
    if features.has_alpha != 0 && options.transparency == .white {
      let samples = try [UInt8](count: size.width * size.height * 4) { samples in
        try unpackWebP(bytes, into: samples, size, mode: MODE_RGBA)
      }
      image = RGBImage(blendingOntoWhite: samples, size: size)
    } else {
      image = try RGBImage(width: size.width, height: size.height) { pixels in
        try unpackWebP(bytes, into: pixels, size, mode: MODE_RGB)
      }
    }
    return (image, EXIFOrientation(inWebP: bytes))
  }

  private func webPFeatures(_ bytes: UnsafeRawBufferPointer) throws -> WebPBitstreamFeatures {
    var features = WebPBitstreamFeatures()
    let status = WebPGetFeatures(
      bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &features)
    try check(status)
    guard features.has_animation == 0 else {
      throw ImageError(
        reason: .unsupported(.webP, "an animation; store the one image that the caption means"))
    }
    return features
  }

  private func unpackWebP(
    _ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>,
    _ size: ImageSize, mode: WEBP_CSP_MODE
  ) throws {
    var configuration = WebPDecoderConfig()
    guard WebPInitDecoderConfig(&configuration) != 0 else {
      throw ImageError(reason: .unreadable("libwebp is of another version than its headers"))
    }
    configuration.output.colorspace = mode
    configuration.output.is_external_memory = 1
    configuration.output.u.RGBA.rgba = output.baseAddress
    configuration.output.u.RGBA.stride = Int32(output.count / size.height)
    configuration.output.u.RGBA.size = output.count
    defer { WebPFreeDecBuffer(&configuration.output) }
    try check(
      WebPDecode(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &configuration))
  }

  private func check(_ status: VP8StatusCode) throws {
    let detail: String
    switch status {
    case VP8_STATUS_OK: return
    case VP8_STATUS_OUT_OF_MEMORY: detail = "not enough memory"
    case VP8_STATUS_UNSUPPORTED_FEATURE: detail = "uses a feature that libwebp does not know"
    case VP8_STATUS_NOT_ENOUGH_DATA, VP8_STATUS_SUSPENDED: detail = "the file is cut short"
    default: detail = "the bitstream is not valid"
    }
    throw ImageError(reason: .damaged(.webP, detail))
  }
}
