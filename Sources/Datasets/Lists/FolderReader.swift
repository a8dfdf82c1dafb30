import Foundation

/// Reads a folder of images, and the folders in it, with captions in `.txt` files of the same name
/// beside them, one on each line; empty lines do not count. Images come in order of their paths'
/// bytes. Texts without an image (a licence, say) are left alone.
struct FolderReader {
  /// The most bytes of one file of captions.
  static let captionFileSizeLimit = 1 << 20
  /// The deepest nesting of folders.
  static let depthLimit = 32
  /// Which files are taken for images, by the ends of their names in lower case.
  static let imageExtensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

  /// Whether a name is that of an image.
  static func isImageName(_ name: String) -> Bool {
    imageExtensions.contains((name as NSString).pathExtension.lowercased())
  }

  let folder: String

  func read(into builder: inout CaptionIndex.Builder) throws {
    var images: [String] = []
    try collect("", depth: 0, into: &images)
    images.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for image in images {
      // Paths are unique, and there are no explicit ids that could disagree.
      _ = try builder.add(path: image, captions: try captions(ofImage: image), imageId: nil)
    }
  }

  private func collect(_ path: String, depth: Int, into images: inout [String]) throws {
    let absolute = path.isEmpty ? folder : "\(folder)/\(path)"
    guard depth <= Self.depthLimit else {
      throw DatasetError.unreadable(
        file: absolute, detail: "folders are nested deeper than \(Self.depthLimit) levels")
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: absolute)
    } catch {
      throw DatasetError.unreadable(file: absolute, detail: error.localizedDescription)
    }
    for name in names where !name.hasPrefix(".") {
      let below = path.isEmpty ? name : "\(path)/\(name)"
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: "\(folder)/\(below)", isDirectory: &isFolder)
      else { continue }
      if isFolder.boolValue {
        try collect(below, depth: depth + 1, into: &images)
      } else if Self.isImageName(name) {
        images.append(below)
      }
    }
  }

  private func captions(ofImage image: String) throws -> [String] {
    let path = "\(folder)/\(image)"
    let file = (path as NSString).deletingPathExtension + ".txt"
    let bytes: [UInt8]
    do {
      bytes = try BoundedFile.contents(of: file, limit: Self.captionFileSizeLimit)
    } catch let failure as BoundedFile.Failure {
      if BoundedFile.size(of: file) == nil {
        throw DatasetError.missingCaptions(image: path, expected: file)
      }
      throw DatasetError(failure, file: file, limit: Self.captionFileSizeLimit)
    }
    var captions: [String] = []
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    {
      guard let text = String(validating: line, as: UTF8.self) else {
        throw DatasetError.malformed(file: file, line: index + 1, problem: "is not valid UTF-8")
      }
      let caption = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if !caption.isEmpty { captions.append(caption) }
    }
    guard !captions.isEmpty else {
      throw DatasetError.missingCaptions(image: path, expected: file)
    }
    return captions
  }
}
