import CTurboJPEG

/// JPEG through libjpeg-turbo: accurate transform, a colour for every four pixels (4:2:0), as Pillow
/// writes it by default.
extension RGBImage {
  /// The image as a JPEG file.
  /// - Parameter quality: libjpeg's, 1 to 100.
  /// - Throws: ``ImageEncodingError``, where memory does not suffice or a side has over 65,535
  ///   pixels.
  public func jpeg(quality: Int) throws -> [UInt8] {
    precondition((1...100).contains(quality), "a JPEG quality of \(quality); expected 1 to 100")
    guard max(width, height) <= ImageDecoder.maximumSide else {
      throw ImageEncodingError(format: .jpeg, detail: "\(width) x \(height) pixels are too many")
    }
    guard let handle = tjInitCompress() else {
      throw ImageEncodingError(format: .jpeg, detail: "TurboJPEG could not be set up")
    }
    defer { tjDestroy(handle) }
    var buffer: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    // The buffer is TurboJPEG's, and may be there after a failure too.
    defer { tjFree(buffer) }
    let code = pixels.withUnsafeBufferPointer { pixels in
      tjCompress2(
        handle, pixels.baseAddress, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue),
        &buffer, &size, Int32(TJSAMP_420.rawValue), Int32(quality), TJFLAG_ACCURATEDCT)
    }
    guard code == 0 else {
      throw ImageEncodingError(format: .jpeg, detail: String(cString: tjGetErrorStr2(handle)))
    }
    return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
  }
}
