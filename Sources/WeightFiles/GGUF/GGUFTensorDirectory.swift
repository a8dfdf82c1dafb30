import Files

extension GGUFFile {
  /// Reads the names, shapes, types and places of a file's tensors.
  static func tensors(
    _ count: Int, alignment: Int, _ cursor: inout GGUFCursor
  ) throws -> [String: TensorEntry] {
    var lines: [GGUFTensorLine] = []
    for _ in 0..<count { lines.append(try GGUFTensorLine(&cursor)) }
    let fileEnd = cursor.file.bytes.count
    // Where no tensor follows, the file may end without the padding.
    let start = min(fileEnd, (cursor.position + alignment - 1) / alignment * alignment)
    let space = start..<fileEnd
    var entries: [String: TensorEntry] = [:]
    var byteCount = 0
    for line in lines {
      let entry = try line.entry(in: space, alignment: alignment)
      guard entries.updateValue(entry, forKey: line.name) == nil else {
        throw damaged("distinct tensor names", "\(line.name) twice")
      }
      if case .stored(_, _, let range) = entry { byteCount += range.count }
      // Tensors that share bytes could else ask for many times the file.
      guard byteCount <= space.count else {
        throw damaged("tensors of at most \(space.count) bytes in all", "more")
      }
    }
    return entries
  }
}

/// A tensor as the file describes it.
private struct GGUFTensorLine {
  private static let longestName = 65_535
  private static let maximumRank = 4

  let name: String
  /// The extents, outermost first.
  private let shape: [Int]
  private let type: GGUFTensorType
  private let offset: UInt64

  init(_ cursor: inout GGUFCursor) throws {
    let name = try cursor.text("a tensor's name", atMost: Self.longestName)
    let rank = try cursor.number(UInt32.self, "the dimensions of \(name)")
    guard rank <= Self.maximumRank else {
      throw damaged(tensor: name, "at most \(Self.maximumRank) dimensions", "\(rank)")
    }
    var dimensions: [UInt64] = []
    for _ in 0..<rank {
      dimensions.append(try cursor.number(UInt64.self, "the dimensions of \(name)"))
    }
    type = GGUFTensorType(try cursor.number(UInt32.self, "the type of \(name)"))
    offset = try cursor.number(UInt64.self, "the offset of \(name)")
    shape = dimensions.reversed().map { Int(clamping: $0) }
    guard !shape.contains(.max), shape.countableProduct != nil else {
      throw damaged(tensor: name, "a shape of countable size", "\(dimensions)")
    }
    self.name = name
  }

  /// - Parameter space: The part of the file in which the tensors' bytes lie.
  func entry(in space: Range<Int>, alignment: Int) throws -> TensorEntry {
    guard let form = type.form else { return .unread(type: type.name) }
    guard let byteCount = form.byteCount(of: shape) else {
      throw damaged(
        tensor: name, "\(form.name) rows of whole blocks, of countable size", "\(shape)")
    }
    guard offset % UInt64(alignment) == 0 else {
      throw damaged(tensor: name, "an offset at a multiple of \(alignment)", "\(offset)")
    }
    guard byteCount <= space.count, offset <= UInt64(space.count - byteCount) else {
      throw damaged(
        tensor: name, "\(byteCount) bytes for \(form.name) \(shape) within \(space.count)",
        "offset \(offset)")
    }
    let start = space.lowerBound + Int(offset)
    return .stored(form, shape: shape, start..<start + byteCount)
  }
}
