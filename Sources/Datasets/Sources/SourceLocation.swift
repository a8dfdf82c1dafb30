import Files

/// Where pairs lie and how they are taken: a list (JSON, JSON lines, CSV, TSV), a folder of
/// images with texts beside them, or shards.
public struct SourceLocation: Equatable, Sendable {
  /// A list; a folder of images or of shards; a shard; or several, as `cc3m-{00000..00331}.tar`
  /// or `cc3m-*.tar`.
  public var path: String
  /// What a list's image paths are relative to; nil for the list's own folder.
  public var imageFolder: String?
  public var captions: CaptionPolicy
  /// Among how many samples of shards an epoch shuffles; lists and folders are shuffled whole.
  public var shuffleWindow: Int
  /// Whether the pairs are held out, by which Karpathy's splits are chosen.
  public var isHeldOut: Bool

  public init(
    path: String, imageFolder: String? = nil, captions: CaptionPolicy = .draw,
    shuffleWindow: Int = ShardSource.defaultShuffleWindow, isHeldOut: Bool = false
  ) {
    self.path = path
    self.imageFolder = imageFolder
    self.captions = captions
    self.shuffleWindow = shuffleWindow
    self.isHeldOut = isHeldOut
  }

  /// Opens what lies there, of whatever kind it is.
  /// - Parameter toleratesDamage: Whether shards are taken up to where they are damaged, and a source
  ///   without pairs is one; for checks.
  /// - Throws: ``DatasetError``.
  public func open(toleratesDamage: Bool = false) throws -> any CaptionSource {
    if let shards = try shards() {
      try refuseImageFolder()
      return try ShardSource(
        paths: shards, captions: captions, shuffleWindow: shuffleWindow,
        toleratesDamage: toleratesDamage)
    }
    if try Self.kind(of: path) == .folder { try refuseImageFolder() }
    return try CaptionDataset(
      path: path, imageFolder: imageFolder, captions: captions,
      isHeldOut: isHeldOut, mayBeEmpty: toleratesDamage)
  }

  /// Whether something lies at a path, or matches it where it is a pattern.
  public static func leadsSomewhere(_ path: String) -> Bool {
    if (try? FileSystem.kind(of: path)) != nil { return true }
    return ShardPaths.isPattern(path) && (try? ShardPaths.matching(path))?.isEmpty == false
  }

  /// What lies at a path; nil where nothing does.
  /// - Throws: `DatasetError.systemFailure`.
  static func kind(of path: String) throws -> FileSystem.Kind? {
    try DatasetError.asking(path, FileSystem.kind(of:))
  }

  private func refuseImageFolder() throws {
    if let imageFolder { throw DatasetError.needlessImageFolder(path: path, imageFolder) }
  }

  /// The shards that the path names; nil where it names something else.
  private func shards() throws -> [String]? {
    guard let kind = try Self.kind(of: path) else {
      if ShardPaths.isPattern(path) { return try ShardPaths.matching(path) }
      return Self.isShardName(path) ? [path] : nil
    }
    if kind == .folder { return try shardsOfFolder() }
    let isList = [".json", ".jsonl", ".csv", ".tsv"].contains { path.lowercased().hasSuffix($0) }
    return Self.isShardName(path) || !isList && Self.beginsAsArchive(path) ? [path] : nil
  }

  private func shardsOfFolder() throws -> [String]? {
    let names = try FolderReader.names(in: path)
    let shards = names.filter(Self.isShardName)
    guard let first = shards.first else { return nil }
    if let image = names.first(where: FolderReader.isImageName) {
      throw DatasetError.ambiguousFolder(folder: path, shard: first, image: image)
    }
    return shards.map { FilePath.joined(path, $0) }
  }

  /// Compressed archives are among them, to be refused with what to do.
  private static func isShardName(_ name: String) -> Bool {
    let endings = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"]
    return endings.contains { name.lowercased().hasSuffix($0) }
  }

  /// Whether a file without a telling name has the mark that tar archives have since 1988.
  private static func beginsAsArchive(_ path: String) -> Bool {
    guard let file = try? OpenFile(reading: path), let mark = try? file.bytes(at: 257, count: 5)
    else {
      return false
    }
    return mark.elementsEqual("ustar".utf8)
  }
}
