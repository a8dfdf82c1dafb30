import Files
import Tensors

/// One tensor of a GGUF file.
struct GGUFTensorEntry {
  enum Content {
    /// Its bytes are a range of the whole file.
    case readable(StoredForm, byteRange: Range<Int>)
    /// Of a type that is not read, which need not keep others from being read.
    case unread(type: String)
  }

  /// The extents, outermost first.
  let shape: [Int]
  let elementCount: Int
  let content: Content
}

/// The names, shapes, types and places of a GGUF file's tensors.
enum GGUFTensorDirectory {
  private static let longestName = 65_535
  private static let maximumRank = 4

  /// An entry as it stands in the file.
  private struct Line {
    let name: String
    let shape: [Int]
    let elementCount: Int
    let type: GGUFTensorType
    let offset: UInt64
  }

  static func read(
    _ count: Int, alignment: Int, _ cursor: inout GGUFCursor, file: MappedFile
  ) throws -> [String: GGUFTensorEntry] {
    var lines: [Line] = []
    for _ in 0..<count { lines.append(try line(&cursor, file: file.path)) }
    // Where no tensor follows, the file may end without the padding.
    let start = min(file.bytes.count, (cursor.position + alignment - 1) / alignment * alignment)
    let space = DataSpace(range: start..<file.bytes.count, alignment: alignment, file: file.path)
    var entries: [String: GGUFTensorEntry] = [:]
    var byteCount = 0
    for line in lines {
      let content = try space.content(of: line)
      let entry = GGUFTensorEntry(
        shape: line.shape, elementCount: line.elementCount, content: content)
      guard entries.updateValue(entry, forKey: line.name) == nil else {
        throw cursor.damaged("distinct tensor names", "\(line.name) twice")
      }
      if case .readable(_, let range) = content { byteCount += range.count }
      // Tensors that share bytes could else ask for many times the file.
      guard byteCount <= space.range.count else {
        throw cursor.damaged("tensors of at most \(space.range.count) bytes in all", "more")
      }
    }
    return entries
  }

  private static func line(_ cursor: inout GGUFCursor, file: String) throws -> Line {
    let name = try cursor.text("a tensor's name", atMost: longestName)
    let rank = try cursor.number(UInt32.self, "the dimensions of \(name)")
    guard rank <= maximumRank else {
      throw WeightFileError.damagedTensor(
        file: file, tensor: name, expected: "at most \(maximumRank) dimensions", found: "\(rank)")
    }
    var dimensions: [UInt64] = []
    for _ in 0..<rank {
      dimensions.append(try cursor.number(UInt64.self, "the dimensions of \(name)"))
    }
    let type = GGUFTensorType(try cursor.number(UInt32.self, "the type of \(name)"))
    let offset = try cursor.number(UInt64.self, "the offset of \(name)")
    var shape: [Int] = []
    var elementCount = 1
    for dimension in dimensions.reversed() {
      let extent = Int(clamping: dimension)
      let (product, overflow) = elementCount.multipliedReportingOverflow(by: extent)
      guard extent < .max, !overflow else {
        throw WeightFileError.damagedTensor(
          file: file, tensor: name, expected: "a shape of countable size",
          found: "\(dimensions)")
      }
      shape.append(extent)
      elementCount = product
    }
    return Line(name: name, shape: shape, elementCount: elementCount, type: type, offset: offset)
  }

  /// The part of a file in which the tensors' bytes lie.
  private struct DataSpace {
    let range: Range<Int>
    let alignment: Int
    let file: String

    func content(of line: Line) throws -> GGUFTensorEntry.Content {
      func damaged(_ expected: String, _ found: String) -> WeightFileError {
        .damagedTensor(file: file, tensor: line.name, expected: expected, found: found)
      }
      guard let form = line.type.form else { return .unread(type: line.type.name) }
      guard let byteCount = byteCount(of: line, form) else {
        throw damaged("\(form.name) rows of whole blocks, of countable size", "\(line.shape)")
      }
      guard line.offset % UInt64(alignment) == 0 else {
        throw damaged("an offset at a multiple of \(alignment)", "\(line.offset)")
      }
      guard byteCount <= range.count, line.offset <= UInt64(range.count - byteCount) else {
        throw damaged(
          "\(byteCount) bytes for \(form.name) \(line.shape) within \(range.count)",
          "offset \(line.offset)")
      }
      let start = range.lowerBound + Int(line.offset)
      return .readable(form, byteRange: start..<start + byteCount)
    }

    private func byteCount(of line: Line, _ form: StoredForm) -> Int? {
      switch form {
      case .elements(let type):
        let (bytes, overflow) = line.elementCount.multipliedReportingOverflow(by: type.byteCount)
        return overflow ? nil : bytes
      case .blocks(let format):
        guard (line.shape.last ?? 1) % format.blockElements == 0 else { return nil }
        let blocks = line.elementCount / format.blockElements
        let (bytes, overflow) = blocks.multipliedReportingOverflow(by: format.blockBytes)
        return overflow ? nil : bytes
      }
    }
  }
}
