import CSPNG

/// PNG through libspng: all colour types and depths, interlacing, palettes and `tRNS`.
///
/// Strict about the checksums of what pixels come from and bounded in what other chunks may take; damaged
/// ones of these are passed over.
final class PNGFile: ImageFile {
  /// The most bytes one chunk, and all stored chunks together, may take (unpacked).
  private static let chunkLimit = 64 << 20
  private let context: OpaquePointer
  private var header = spng_ihdr()

  init(_ bytes: UnsafeRawBufferPointer) throws {
    guard let context = spng_ctx_new(0) else {
      throw ImageError(reason: .unreadable("libspng could not be set up"))
    }
    self.context = context
    try check(
      spng_set_crc_action(
        context, Int32(SPNG_CRC_ERROR.rawValue), Int32(SPNG_CRC_DISCARD.rawValue)))
    try check(spng_set_chunk_limits(context, Self.chunkLimit, Self.chunkLimit))
    try check(spng_set_png_buffer(context, bytes.baseAddress, bytes.count))
    try check(spng_get_ihdr(context, &header))
  }

  deinit { spng_ctx_free(context) }

  var size: ImageSize { ImageSize(width: Int(header.width), height: Int(header.height)) }

  /// Reads a file; once more without the chunks that no pixel comes from where the library stops at one.
  static func passingOverChunks<Result>(
    _ bytes: UnsafeRawBufferPointer, _ read: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    do {
      return try read(bytes)
    } catch let error as ImageError {
      guard case .damaged = error.reason else { throw error }
      let reader = ByteReader(bytes)
      var plain = Array(bytes.prefix(8))
      var offset = 8
      while let length = reader.number(at: offset, big: true, as: UInt32.self),
        let chunk = reader.slice(from: offset, count: Int(length) + 12)
      {
        let type = String(decoding: chunk[4..<8], as: UTF8.self)
        if ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"].contains(type) { plain += chunk }
        offset += chunk.count
      }
      // Where nothing was left out, or pixels are damaged, the first error holds.
      guard offset == bytes.count, plain.count < bytes.count,
        let result = try? plain.withUnsafeBytes(read)
      else { throw error }
      return result
    }
  }

  func image(_ options: ImageDecoding) throws -> RGBImage {
    let transparentColor = transparency
    let blends = options.transparency == .white
    let isGray16 = header.bit_depth == 16 && header.color_type == SPNG_COLOR_TYPE_GRAYSCALE.rawValue
    let hasAlphaChannel =
      header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA.rawValue
      || header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA.rawValue
    if isGray16 {
      return try gray16(
        transparent: blends ? transparentColor?.gray : nil,
        scales: options.sixteenBitGray == .scale)
    }
    guard blends, hasAlphaChannel || transparentColor != nil else {
      return try RGBImage(size) { try decode(into: .init($0), format: SPNG_FMT_RGB8) }
    }
    let samples = try [UInt8](count: size.pixelCount * 4) { samples in
      try decode(into: .init(samples), format: SPNG_FMT_RGBA8, flags: SPNG_DECODE_TRNS)
    }
    return RGBImage(blendingOntoWhite: samples, size: size)
  }

  /// - Parameters:
  ///   - transparent: The 16-bit value that stands for "nothing here", if any.
  ///   - scales: Whether values are divided by 257, or else cut at 255.
  private func gray16(transparent: UInt16?, scales: Bool) throws -> RGBImage {
    let samples = try [UInt16](count: size.pixelCount) { samples in
      try decode(into: .init(samples), format: SPNG_FMT_PNG)
    }
    return RGBImage(size) { pixels in
      for index in 0..<samples.count {
        let value = samples[index]
        let byte =
          value == transparent
          ? 255 : scales ? UInt8((UInt32(value) + 128) / 257) : UInt8(min(value, 255))
        for channel in 0..<3 { pixels[index * 3 + channel] = byte }
      }
    }
  }

  /// The `tRNS` chunk, if there is one.
  private var transparency: spng_trns? {
    var transparency = spng_trns()
    return spng_get_trns(context, &transparency) == 0 ? transparency : nil
  }

  /// What the `eXIf` chunk, ImageMagick's profiles and XMP say; those behind the pixels are seen where these
  /// were unpacked.
  var orientation: EXIFOrientation {
    // What cannot be read any more says nothing.
    _ = spng_decode_chunks(context)
    var exif = spng_exif()
    var structures: [[UInt8]] = []
    if spng_get_exif(context, &exif) == 0 {
      structures.append([UInt8](UnsafeRawBufferPointer(start: exif.data, count: exif.length)))
    }
    let profiles = texts(["Raw profile type exif", "Raw profile type APP1"])
    return EXIFOrientation(
      exif: structures + profiles.map(EXIFOrientation.profile), xmp: texts(["XML:com.adobe.xmp"]))
  }

  /// The texts of some names, unpacked.
  private func texts(_ names: [String]) -> [[UInt8]] {
    var count: UInt32 = 0
    guard spng_get_text(context, nil, &count) == 0, count > 0 else { return [] }
    var texts = [spng_text](repeating: spng_text(), count: Int(count))
    guard spng_get_text(context, &texts, &count) == 0 else { return [] }
    return texts.filter { text in
      withUnsafeBytes(of: text.keyword) { keyword in
        names.contains { keyword.prefix { $0 != 0 }.elementsEqual($0.utf8) }
      }
    }.map { [UInt8](UnsafeRawBufferPointer(start: $0.text, count: $0.length)) }
  }

  /// Unpacks the pixels, which must fill `output` exactly.
  private func decode(
    into output: UnsafeMutableRawBufferPointer, format: spng_format,
    flags: spng_decode_flags = .init(rawValue: 0)
  ) throws {
    var expected = 0
    try check(spng_decoded_image_size(context, Int32(format.rawValue), &expected))
    guard expected == output.count else {
      throw ImageError(
        reason: .damaged(.png, "unpacks to \(expected) bytes; expected \(output.count)"))
    }
    try check(
      spng_decode_image(
        context, output.baseAddress, output.count, Int32(format.rawValue), Int32(flags.rawValue)))
  }

  private func check(_ code: Int32) throws {
    guard code != 0 else { return }
    throw ImageError(reason: .damaged(.png, String(cString: spng_strerror(code))))
  }
}
