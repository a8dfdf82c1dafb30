import CWebP

/// WebP through libwebp. Animations are refused: which of the images a caption means is unknown.
struct WebPFile: ImageFile {
  private let bytes: UnsafeRawBufferPointer
  private var features = WebPBitstreamFeatures()

  init(_ bytes: UnsafeRawBufferPointer) throws {
    self.bytes = bytes
    let status = WebPGetFeatures(
      bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &features)
    try check(status)
    guard features.has_animation == 0 else {
      throw ImageError(
        reason: .unsupported(.webP, "an animation; store the one image that the caption means"))
    }
  }

  var size: ImageSize { ImageSize(width: Int(features.width), height: Int(features.height)) }
  var orientation: EXIFOrientation { EXIFOrientation(inWebP: bytes) }

  func image(_ options: ImageDecoding) throws -> RGBImage {
    guard features.has_alpha != 0 && options.transparency == .white else {
      return try RGBImage(size) { try unpack(into: $0, mode: MODE_RGB) }
    }
    let samples = try [UInt8](count: size.pixelCount * 4) { try unpack(into: $0, mode: MODE_RGBA) }
    return RGBImage(blendingOntoWhite: samples, size: size)
  }

  private func unpack(
    into output: UnsafeMutableBufferPointer<UInt8>, mode: WEBP_CSP_MODE
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
