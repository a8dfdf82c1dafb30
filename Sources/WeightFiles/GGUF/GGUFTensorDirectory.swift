import Files

/// The names, shapes, types and places of a GGUF file's tensors.
enum GGUFTensorDirectory {
  private static let longestName = 65_535
  private static let maximumRank = 4

  /// An entry as it stands in the file.
  private struct Line {
    let name: String
    /// The extents, outermost first.
    let shape: [Int]
    let type: GGUFTensorType
    let offset: UInt64
  }

  static func read(
    _ count: Int, alignment: Int, _ cursor: inout GGUFCursor
  ) throws -> [String: TensorEntry] {
    var lines: [Line] = []
    for _ in 0..<count { lines.append(try line(&cursor)) }
    let fileEnd = cursor.file.bytes.count
    // Where no tensor follows, the file may end without the padding.
    let start = min(fileEnd, (cursor.position + alignment - 1) / alignment * alignment)
    let space = DataSpace(range: start..<fileEnd, alignment: alignment)
    var entries: [String: TensorEntry] = [:]
    var byteCount = 0
    for line in lines {
      let entry = try space.entry(of: line)
      guard entries.updateValue(entry, forKey: line.name) == nil else {
        throw damaged("distinct tensor names", "\(line.name) twice")
      }
      if case .stored(_, _, let range) = entry { byteCount += range.count }
      // Tensors that share bytes could else ask for many times the file.
      guard byteCount <= space.range.count else {
        throw damaged("tensors of at most \(space.range.count) bytes in all", "more")
      }
    }
    return entries
  }

  private static func line(_ cursor: inout GGUFCursor) throws -> Line {
    let name = try cursor.text("a tensor's name", atMost: longestName)
    let rank = try cursor.number(UInt32.self, "the dimensions of \(name)")
    guard rank <= maximumRank else {
      throw damaged(tensor: name, "at most \(maximumRank) dimensions", "\(rank)")
    }
    var dimensions: [UInt64] = []
    for _ in 0..<rank {
      dimensions.append(try cursor.number(UInt64.self, "the dimensions of \(name)"))
    }
    let type = GGUFTensorType(try cursor.number(UInt32.self, "the type of \(name)"))
    let offset = try cursor.number(UInt64.self, "the offset of \(name)")
    let shape = dimensions.reversed().map { Int(clamping: $0) }
    guard !shape.contains(.max), shape.countableProduct != nil else {
      throw damaged(tensor: name, "a shape of countable size", "\(dimensions)")
    }
    return Line(name: name, shape: shape, type: type, offset: offset)
  }

  /// The part of a file in which the tensors' bytes lie.
  private struct DataSpace {
    let range: Range<Int>
    let alignment: Int

    func entry(of line: Line) throws -> TensorEntry {
      func damage(_ expected: String, _ found: String) -> FormatProblem {
        damaged(tensor: line.name, expected, found)
      }
      guard let form = line.type.form else { return .unread(type: line.type.name) }
      guard let byteCount = form.byteCount(of: line.shape) else {
        throw damage("\(form.name) rows of whole blocks, of countable size", "\(line.shape)")
      }
      guard line.offset % UInt64(alignment) == 0 else {
        throw damage("an offset at a multiple of \(alignment)", "\(line.offset)")
      }
      guard byteCount <= range.count, line.offset <= UInt64(range.count - byteCount) else {
        throw damage(
          "\(byteCount) bytes for \(form.name) \(line.shape) within \(range.count)",
          "offset \(line.offset)")
      }
      let start = range.lowerBound + Int(line.offset)
      return .stored(form, shape: line.shape, start..<start + byteCount)
    }
  }
}
