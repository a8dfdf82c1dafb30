import Foundation

/// Images as parts of the page.
struct ImageFiles {
  /// Where they lie if not at their own paths.
  let folder: String?

  /// `data:image/webp;base64,…`.
  /// - Throws: ``InputError`` for a file that is not there or no image that browsers show.
  func address(of path: String) throws -> String {
    let data = try InputFile(path: place(of: path)).contents()
    guard let type = Self.mediaType(of: data) else {
      throw InputError(file: path, problem: "expected WebP, PNG, JPEG or GIF, found none of them")
    }
    return "data:\(type);base64,\(data.base64EncodedString())"
  }

  /// In the folder by the whole path, else by its ever shorter ends; without a folder, or where there
  /// is no such file in it, the path itself.
  private func place(of path: String) -> String {
    guard let folder else { return path }
    let parts = path.split(separator: "/")
    let places = parts.indices.map { folder + "/" + parts[$0...].joined(separator: "/") }
    return places.first(where: FileManager.default.fileExists) ?? path
  }

  /// By the first bytes, since names may lie.
  static func mediaType(of data: Data) -> String? {
    let beginning = [UInt8](data.prefix(12))
    if beginning.starts(with: "RIFF".utf8), beginning.dropFirst(8).elementsEqual("WEBP".utf8) {
      return "image/webp"
    }
    if beginning.starts(with: [0x89] + "PNG\r\n".utf8) { return "image/png" }
    if beginning.starts(with: [0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
    return beginning.starts(with: "GIF8".utf8) ? "image/gif" : nil
  }
}
