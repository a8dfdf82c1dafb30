import Files

/// Where the samples of one shard lie: the files that have a name up to the first dot in common.
struct ShardIndex: Sendable {
  /// A file's place in the shard. Contents begin at multiples of 512 bytes.
  struct Extent: Equatable, Sendable {
    private let block: UInt32
    /// Nothing is longer than 2^32 - 1 bytes here: what is, is refused by any limit.
    private let length: UInt32

    init?(offset: Int, size: Int) {
      guard let block = UInt32(exactly: offset / TarHeader.length) else { return nil }
      self.block = block
      length = UInt32(clamping: size)
    }

    var offset: Int { Int(block) * TarHeader.length }
    var size: Int { Int(length) }
  }

  /// One sample's files.
  struct Files: Sendable {
    var image: Extent?
    var json: Extent?
    var text: Extent?

    var isComplete: Bool { image != nil && (json != nil || text != nil) }
  }

  /// What the files of each sample have in common, by its bytes.
  private(set) var keys = StringTable()
  private(set) var files: [Files] = []
  /// The bytes of the shard.
  let size: Int

  // What was found beside the samples, by the shard's path and its own name.
  private(set) var ignored = SourceFinding(.ignoredMembers)
  private(set) var withoutImage = SourceFinding(.withoutImage)
  private(set) var withoutText = SourceFinding(.withoutText)
  /// Why the walk ended before the end of the shard, if it did.
  private(set) var damage = SourceFinding(.damagedShards)

  /// Walks through a shard.
  /// - Parameter toleratesDamage: Whether what comes before a damaged place is taken as the shard.
  /// - Throws: ``DatasetError``, `ReadFailure`.
  init(_ file: OpenFile, toleratesDamage: Bool) throws {
    size = file.size
    var walker = TarWalker(file)
    var slots: [NameKey: Int] = [:]
    var found: [(key: String, files: Files)] = []
    do {
      while let member = try walker.next() {
        guard let place = Self.place(of: member.name) else {
          ignored.add("\(file.path):\(member.name)")
          continue
        }
        guard let extent = Extent(offset: member.offset, size: member.size) else {
          throw DatasetError.unsupportedShard(
            file: file.path, problem: "is larger than 2 TiB", advice: "split it")
        }
        let slot = slots[NameKey(place.key)] ?? found.count
        if slot == found.count {
          slots[NameKey(place.key)] = slot
          found.append((place.key, Files()))
        }
        if found[slot].files[keyPath: place.file] == nil {
          found[slot].files[keyPath: place.file] = extent
        } else {
          ignored.add("\(file.path):\(member.name)")
        }
      }
    } catch let error as DatasetError {
      guard toleratesDamage, case .damagedShard = error else { throw error }
      damage.add(error.description)
    }
    ignored.count += walker.otherEntries
    for (key, files) in found {
      if files.isComplete {
        keys.append(name: key)
        self.files.append(files)
      } else if files.image == nil {
        withoutImage.add("\(file.path):\(key)")
      } else {
        withoutText.add("\(file.path):\(key)")
      }
    }
  }

  /// Feeds a digest with everything by which samples are found.
  func update(_ hash: inout SHA256) {
    hash.update(files.count)
    for (index, files) in files.enumerated() {
      let key = keys.bytes(at: index)
      hash.update(key.count)
      hash.update(key)
      for extent in [files.image, files.json, files.text] {
        hash.update(extent?.offset ?? -1)
        hash.update(extent?.size ?? -1)
      }
    }
  }

  /// Which of a sample's files one is, by its name; nil for files that belong to no sample.
  private static func place(
    of name: String
  ) -> (key: String, file: WritableKeyPath<Files, Extent?>)? {
    // At bytes: a dot and a combining mark after it would be one character.
    let bytes = name.utf8
    let path = bytes.starts(with: "./".utf8) ? bytes.dropFirst(2) : bytes[...]
    let slash = path.lastIndex(of: UInt8(ascii: "/"))
    let base = slash.map { path.index(after: $0) } ?? path.startIndex
    guard let dot = path[base...].firstIndex(of: UInt8(ascii: ".")), dot > base else { return nil }
    let key = String(name[path.startIndex..<dot])
    switch name[path.index(after: dot)...].lowercased() {
    case "json": return (key, \.json)
    case "txt": return (key, \.text)
    case let ending where FolderReader.imageExtensions.contains(ending): return (key, \.image)
    default: return nil
    }
  }
}
