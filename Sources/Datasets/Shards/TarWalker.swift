import Files

/// Goes through the headers of a tar archive, past the contents.
struct TarWalker {
  /// A file in the archive.
  struct Member {
    /// As `FileName` has it.
    var name: String
    /// Where its content begins.
    var offset: Int
    var size: Int
  }

  /// The most bytes of a long name and of a file's attributes.
  private static let nameLimit = 1 << 16
  private static let attributesLimit = 1 << 20
  /// Bytes that are read at once: the headers of small files lie close together.
  private static let readLength = 8 << 10

  private let file: OpenFile
  private var offset = 0
  private var buffer: [UInt8] = []
  private var bufferOffset = 0
  /// Links, devices and the like, which were passed over; folders do not count.
  private(set) var otherEntries = 0

  init(_ file: OpenFile) {
    self.file = file
    file.expectScatteredReads()
  }

  /// The next file; nil after the last.
  /// - Throws: `DatasetError.damagedShard`, `.unsupportedShard`; `ReadFailure`.
  mutating func next() throws -> Member? {
    do {
      return try member()
    } catch let problem as Problem {
      throw damage(problem.text)
    }
  }

  /// The file whose headers begin at `offset`, which moves past it.
  private mutating func member() throws -> Member? {
    var longName: String?
    var attributes: TarAttributes?
    while let header = try header() {
      let name = attributes?.path ?? longName ?? header.name
      let content = offset + TarHeader.length
      // Sizes are those of the file that attributes belong to, not of more attributes.
      let size = header.kind == .file ? attributes?.size ?? header.size : header.size
      guard size <= file.size - content else {
        throw Problem("\(name) has \(size) bytes, and the shard ends after \(file.size - content)")
      }
      switch header.kind {
      case .file:
        guard attributes?.isSparse != true else { throw sparse(name) }
        offset += TarHeader.length(withContent: size)
        return Member(name: name, offset: content, size: size)
      case .withoutContent:
        if name.utf8.last != UInt8(ascii: "/") { otherEntries += 1 }
        (longName, attributes) = (nil, nil)
      case .longName:
        longName = TarHeader.text(try extra(size, limit: Self.nameLimit, "a file's name")[...])
      case .attributes:
        attributes = try TarAttributes(
          try extra(size, limit: Self.attributesLimit, "a file's attributes"))
      case .sparse: throw sparse(name)
      case .other: break
      }
      offset += TarHeader.length(withContent: size)
    }
    guard longName == nil && attributes == nil else {
      throw Problem("the archive ends after the name of a file")
    }
    try checkEnd()
    return nil
  }

  /// The content of the header at `offset`, which says something of the next file.
  private func extra(_ size: Int, limit: Int, _ what: String) throws -> [UInt8] {
    guard size <= limit else {
      throw Problem("\(what) has \(size) bytes, more than the limit of \(limit)")
    }
    return try file.bytes(at: offset + TarHeader.length, count: size)
  }

  /// The header at `offset`; nil for the zeros at the end.
  private mutating func header() throws -> TarHeader? {
    let block = try block()
    return block.allSatisfy { $0 == 0 } ? nil : try TarHeader(block)
  }

  /// The ``TarHeader/length`` bytes at `offset`.
  private mutating func block() throws -> ArraySlice<UInt8> {
    let length = TarHeader.length
    guard offset <= file.size - length else {
      throw Problem(
        offset < file.size
          ? "the shard ends within a header"
          : "the shard ends without the mark of an archive's end. It may be cut short; if it is "
            + "whole, \"head -c 1024 /dev/zero >> FILE\" adds the mark")
    }
    if offset < bufferOffset || offset + length > bufferOffset + buffer.count {
      buffer = try file.bytes(at: offset, count: min(Self.readLength, file.size - offset))
      bufferOffset = offset
      guard buffer.count >= length else { throw Problem("the shard became shorter") }
    }
    return buffer[(offset - bufferOffset)..<(offset - bufferOffset + length)]
  }

  /// Two blocks of zeros end an archive; what comes after would never be read.
  private func checkEnd() throws {
    let rest = try file.bytes(at: offset, count: min(64 << 10, file.size - offset))
    guard rest.allSatisfy({ $0 == 0 }) else {
      throw Problem("something follows the end of the archive; join archives by \"tar -A\"")
    }
  }

  /// What is wrong at the current place; at the beginning that the file is of another kind.
  private func damage(_ problem: String) -> DatasetError {
    if offset == 0, file.size > 0, let start = try? file.bytes(at: 0, count: FileKind.lookedAt),
      let kind = FileKind(start), kind.name != "a tar file"
    {
      return .unsupportedShard(
        file: file.path, problem: "is \(kind.name)",
        advice: kind.advice
          + (kind.isCompressed
            ? ": images are compressed already, and samples are read from the middle of a shard"
            : ""))
    }
    return .damagedShard(file: file.path, offset: offset, problem: problem)
  }

  private func sparse(_ name: String) -> DatasetError {
    .unsupportedShard(
      file: file.path, problem: "holds a sparse file, \(name)",
      advice: "pack it again without the option --sparse")
  }
}
