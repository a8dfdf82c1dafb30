import Files
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
    imageExtensions.contains(FilePath.ending(of: name))
  }

  let folder: String

  func read(into builder: inout CaptionIndex.Builder) throws {
    var images: [NameKey] = []
    try collect("", depth: 0, into: &images)
    images.sort()
    for image in images.map(\.text) {
      // Paths are unique, and there are no explicit ids that could disagree.
      _ = try builder.add(path: image, captions: try captions(ofImage: image), imageId: nil)
    }
  }

  /// The names in a folder, in no order, without those that begin with a dot.
  /// - Throws: ``DatasetError`` where they cannot be had.
  static func names(in folder: String) throws -> [String] {
    do {
      return try FileSystem.names(in: folder).filter { $0.utf8.first != UInt8(ascii: ".") }
    } catch {
      throw DatasetError(error, file: folder)
    }
  }

  private func collect(_ path: String, depth: Int, into images: inout [NameKey]) throws {
    let absolute = path.isEmpty ? folder : FilePath.joined(folder, path)
    guard depth <= Self.depthLimit else {
      throw DatasetError.unreadable(
        file: absolute, detail: "folders are nested deeper than \(Self.depthLimit) levels")
    }
    for name in try Self.names(in: absolute) {
      let below = path.isEmpty ? name : "\(path)/\(name)"
      guard let kind = try SourceLocation.kind(of: FilePath.joined(absolute, name)) else {
        continue
      }
      if kind == .folder {
        try collect(below, depth: depth + 1, into: &images)
      } else if Self.isImageName(name) {
        images.append(NameKey(below))
      }
    }
  }

  private func captions(ofImage image: String) throws -> [String] {
    let path = FilePath.joined(folder, image)
    let file = FilePath.withoutEnding(path) + ".txt"
    let bytes: [UInt8]
    do {
      bytes = try BoundedFile.contents(of: file, limit: Self.captionFileSizeLimit)
    } catch {
      let error = DatasetError(error)
      if !error.isSystemFailure, try BoundedFile.size(of: file) == nil {
        throw DatasetError.missingCaptions(image: path, expected: file)
      }
      throw error
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
