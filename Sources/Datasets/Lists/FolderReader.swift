import Files
import Foundation

/// Reads a folder of images, and the folders in it, with captions in `.txt` files of the same name
/// beside them, one on each line; empty lines do not count. Images come in order of their paths'
/// bytes. Images without a text, texts without an image (a licence, say) and other files are left out and
/// counted.
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

  /// - Returns: What is there beside the pairs.
  /// - Throws: ``DatasetError``.
  func read(into builder: inout CaptionIndex.Builder) throws -> [SourceFinding] {
    var found = Found()
    try collect("", into: &found, within: [])
    found.images.sort()
    var silent = SourceFinding(.withoutText)
    for image in found.images.map(\.text) {
      found.texts.remove(NameKey(FilePath.withoutEnding(image)))
      do {
        try builder.add(path: image, captions: try captions(ofImage: image), imageId: nil)
      } catch let problem as Problem {
        silent.add("\(image): \(problem.text)")
      }
    }
    var lone = SourceFinding(.withoutImage)
    for text in found.texts.sorted() { lone.add("\(text.text).txt") }
    return [silent, lone, found.others].filter { $0.count > 0 }
  }

  private struct Found {
    var images: [NameKey] = []
    /// Without their ending.
    var texts: Set<NameKey> = []
    var others = SourceFinding(.ignoredMembers)
  }

  /// The names in a folder, in order of their bytes, without those that begin with a dot.
  /// - Throws: ``DatasetError`` where they cannot be had.
  static func names(in folder: String) throws -> [String] {
    try DatasetError.asking(folder, FileSystem.names(in:))
      .filter { $0.utf8.first != UInt8(ascii: ".") }.map(NameKey.init).sorted().map(\.text)
  }

  /// - Parameter above: The real paths of the folders that this one lies in: a link may lead back to one.
  private func collect(_ path: String, into found: inout Found, within above: [String]) throws {
    let absolute = path.isEmpty ? folder : FilePath.joined(folder, path)
    guard above.count <= Self.depthLimit else {
      throw DatasetError.unreadable(
        file: absolute, detail: "folders are nested deeper than \(Self.depthLimit) levels")
    }
    let real = FileName.withCString(absolute) { path in
      realpath(path, nil).map { real in
        defer { free(real) }
        return FileName.text(UnsafeRawBufferPointer(start: real, count: strlen(real)))
      }
    }
    guard let real, !above.contains(real) else { return }
    for name in try Self.names(in: absolute) {
      let below = path.isEmpty ? name : "\(path)/\(name)"
      switch try SourceLocation.kind(of: FilePath.joined(absolute, name)) {
      case .folder: try collect(below, into: &found, within: above + [real])
      case nil: found.others.add("\(below) (a link to nothing)")
      default:
        if Self.isImageName(name) {
          found.images.append(NameKey(below))
        } else if FilePath.ending(of: name) == "txt" {
          found.texts.insert(NameKey(FilePath.withoutEnding(below)))
        } else {
          found.others.add(below)
        }
      }
    }
  }

  /// The lines of an image's file of captions that say something.
  /// - Throws: `Problem` where there are none, ``DatasetError`` where the system fails.
  private func captions(ofImage image: String) throws -> [String] {
    let file = FilePath.withoutEnding(FilePath.joined(folder, image)) + ".txt"
    let name = FilePath.name(of: file)
    let bytes: [UInt8]
    do {
      bytes = try BoundedFile.contents(of: file, limit: Self.captionFileSizeLimit)
    } catch {
      let error = DatasetError(error)
      if error.isSystemFailure { throw error }
      let isThere = try DatasetError.asking(file, BoundedFile.size(of:)) != nil
      throw Problem(
        isThere ? "\(error)" : "expected a caption on each line of \(name), found none")
    }
    let captions = try CaptionFile.text(bytes, of: name)
      .unicodeScalars.split { $0 == "\n" || $0 == "\r" }
      .map { String($0).withoutMarks.trimmingCharacters(in: .whitespacesAndNewlines) }
      .filter { !$0.isEmpty }
    guard !captions.isEmpty else { throw Problem("\(name) is empty") }
    return captions
  }
}

/// A file that holds nothing but captions.
enum CaptionFile {
  /// - Parameter name: What a message calls the file.
  /// - Throws: `Problem`.
  static func text(_ bytes: [UInt8], of name: String) throws -> String {
    if let kind = FileKind(bytes), !bytes.isEmpty, !kind.isPlainText {
      throw Problem("\(name) is \(kind)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Problem("\(name) is not valid UTF-8")
    }
    return text
  }
}

/// Images that a person names.
public enum ImagePaths {
  /// Files as they are named; for a folder the images in it, by name.
  /// - Throws: `SystemFailure` where a folder cannot be listed.
  public static func files(_ paths: [String]) throws -> [String] {
    try paths.flatMap { path -> [String] in
      guard FileSystem.isFolder(path) else { return [path] }
      return try FileSystem.list(path)
        .filter { FolderReader.imageExtensions.contains(FilePath.ending(of: $0).lowercased()) }
        .sorted().map { FilePath.joined(path, $0) }
    }
  }
}
