import Files
import Foundation

/// Finds the images of evaluation sets in a folder. Paths are as `FileName` has them.
struct EvaluationImages {
  let folder: String
  private var found: [NameKey: URL] = [:]

  init(folder: String) {
    self.folder = folder
  }

  /// An image that is listed by its path: at that place, seen from the folder, else by its name
  /// alone in the folder, since lists have paths such as `val2014/COCO_val2014_000000000042.jpg`.
  mutating func image(atPath path: String, field: String) throws -> URL {
    let path = FilePath.withHome(path)
    guard !path.isEmpty, !path.utf8.contains(0), FileName.bytes(path).count < Int(PATH_MAX)
    else {
      throw FieldProblem(field, "expected a path, found an unusable text")
    }
    if FilePath.isAbsolute(path) { return try first(of: [path], for: path, field: field) }
    let name = FilePath.name(of: FilePath.withoutEndingSlashes(path))
    let listed = "\(folder)/\(path)"
    return try first(
      of: NameKey(name) == NameKey(path) ? [listed] : [listed, "\(folder)/\(name)"], for: path,
      field: field)
  }

  /// The splits of COCO of 2014 and 2015, whose images have them in their names.
  private static let splits = ["val2014", "train2014", "test2014", "test2015"]
  private static let extensions = FolderReader.imageExtensions.sorted()

  /// An image that only its number is known of: `COCO_val2014_000000000042.jpg` and the like for
  /// COCO's other splits, else `000000000042.jpg`, else the number with any known extension.
  mutating func image(withId id: String, field: String) throws -> URL {
    let id = FileName.text(id.utf8)
    guard !id.utf8.contains(UInt8(ascii: "/")), !id.utf8.contains(0), id.utf8.count < 200 else {
      throw FieldProblem(field, "no image can have this name")
    }
    var names = Self.extensions.map { "\(id).\($0)" }
    if let number = Int64(id), number >= 0 {
      let padded = String(format: "%012ld", number)
      names = Self.splits.map { "COCO_\($0)_\(padded).jpg" } + ["\(padded).jpg"] + names
    }
    return try first(of: names.map { "\(folder)/\($0)" }, for: "\u{0}\(id)", field: field)
  }

  /// - Parameter key: What the image is remembered by.
  /// - Throws: Also `DatasetError.systemFailure` where nobody can say what is there.
  private mutating func first(of paths: [String], for key: String, field: String) throws -> URL {
    if let known = found[NameKey(key)] { return known }
    let isFile = { try DatasetError.asking($0, BoundedFile.size(of:)) != nil }
    guard let path = try paths.first(where: isFile) else {
      throw FieldProblem(
        field,
        "there is no image; looked for \(paths.joined(separator: ", ")). "
          + "Is this the right image folder?")
    }
    let url = URL(fileURLWithPath: path, isDirectory: false)
    found[NameKey(key)] = url
    return url
  }
}
