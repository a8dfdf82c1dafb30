import CSPNG
import Foundation

/// PNG through libspng: 8 bits a channel, red, green, blue.
extension RGBImage {
  /// The image as a PNG file.
  /// - Throws: ``ImageEncodingError``, where memory does not suffice or a side has over 2^31 pixels.
  public func png() throws -> [UInt8] {
    guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else {
      throw ImageEncodingError(format: .png, detail: "libspng could not be set up")
    }
    defer { spng_ctx_free(context) }
    guard let width = UInt32(exactly: width), let height = UInt32(exactly: height) else {
      throw ImageEncodingError(
        format: .png, detail: "\(self.width) x \(self.height) pixels are too many")
    }
    var header = spng_ihdr()
    header.width = width
    header.height = height
    header.bit_depth = 8
    header.color_type = UInt8(SPNG_COLOR_TYPE_TRUECOLOR.rawValue)
    try check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1))
    try check(spng_set_ihdr(context, &header))
    try pixels.withUnsafeBytes { bytes in
      try check(
        spng_encode_image(
          context, bytes.baseAddress, bytes.count, Int32(SPNG_FMT_PNG.rawValue),
          Int32(SPNG_ENCODE_FINALIZE.rawValue)))
    }
    var size = 0
    var code: Int32 = 0
    guard let buffer = spng_get_png_buffer(context, &size, &code) else {
      throw ImageEncodingError(format: .png, detail: String(cString: spng_strerror(code)))
    }
    // The buffer is the caller's.
    defer { free(buffer) }
    return Array(UnsafeRawBufferPointer(start: buffer, count: size))
  }

  private func check(_ code: Int32) throws {
    guard code == 0 else {
      throw ImageEncodingError(format: .png, detail: String(cString: spng_strerror(code)))
    }
  }
}
