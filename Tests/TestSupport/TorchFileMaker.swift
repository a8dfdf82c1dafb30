import WeightFiles

/// Writes zip files byte by byte: stored entries, or whatever a test wants to claim of them.
public struct ZipMaker {
  public struct Entry {
    public var name: String
    public var bytes: [UInt8]
    public var method: UInt16 = 0
    public var flags: UInt16 = 0
    /// What the directory says of the size and place, where that is not the truth.
    public var claimedSize: Int?
    public var claimedOffset: Int?

    public init(name: String, bytes: [UInt8], method: UInt16 = 0) {
      (self.name, self.bytes, self.method) = (name, bytes, method)
    }
  }

  public var entries: [Entry]
  /// Whether sizes and places are given in 64-bit fields.
  public var isWide = false

  public init(_ entries: [(String, [UInt8])]) {
    self.entries = entries.map { Entry(name: $0.0, bytes: $0.1) }
  }

  public var file: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let size = entry.claimedSize ?? entry.bytes.count
      let offset = entry.claimedOffset ?? file.count
      let name = Array(entry.name.utf8)
      let narrow = isWide ? [UInt8](repeating: 0xFF, count: 4) : number(size, 4)
      let beginning = number(0, 2) + number(Int(entry.flags), 2) + number(Int(entry.method), 2)
      let sizes = number(0, 8) + narrow + narrow + number(name.count, 2)
      let extra =
        isWide ? number(1, 2) + number(24, 2) + number(size, 8) + number(size, 8) : []
      let wide = isWide ? extra + number(offset, 8) : []
      directory += [0x50, 0x4B, 1, 2, 0, 0] + beginning + sizes + number(wide.count, 2)
      directory += number(0, 10) + (isWide ? [0xFF, 0xFF, 0xFF, 0xFF] : number(offset, 4))
      directory += name + wide
      file += [0x50, 0x4B, 3, 4] + beginning + sizes + number(0, 2) + name + entry.bytes
    }
    let start = file.count
    file += directory
    if isWide {
      let end = file.count
      file += [0x50, 0x4B, 6, 6] + number(44, 8) + number(0, 12) + number(entries.count, 8)
      file += number(entries.count, 8) + number(directory.count, 8) + number(start, 8)
      file += [0x50, 0x4B, 6, 7] + number(0, 4) + number(end, 8) + number(1, 4)
      return file + [0x50, 0x4B, 5, 6] + number(0, 4) + [UInt8](repeating: 0xFF, count: 12)
        + number(0, 2)
    }
    return file + [0x50, 0x4B, 5, 6] + number(0, 4) + number(entries.count, 2)
      + number(entries.count, 2) + number(directory.count, 4) + number(start, 4) + number(0, 2)
  }
}

/// A number as little-endian bytes.
public func number(_ value: Int, _ width: Int) -> [UInt8] {
  (0..<width).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
}

/// Pickles, opcode by opcode.
public enum Pickle {
  public static func file(_ value: [UInt8], version: UInt8 = 2) -> [UInt8] {
    [0x80, version] + value + stop
  }
  public static let stop = Array(".".utf8)
  public static let setItem = Array("s".utf8)
  public static let build = Array("b".utf8)
  public static let none = Array("N".utf8)
  public static let float = Array("G".utf8) + [UInt8](repeating: 0x40, count: 8)

  public static func text(_ text: String) -> [UInt8] {
    Array("X".utf8) + number(text.utf8.count, 4) + Array(text.utf8)
  }

  public static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + number(value, 8) }

  public static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  public static func tuple(_ elements: [[UInt8]]) -> [UInt8] {
    Array("(".utf8) + elements.joined() + Array("t".utf8)
  }

  public static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
    Array("}(".utf8) + members.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
  }

  public static func list(_ elements: [[UInt8]]) -> [UInt8] {
    Array("](".utf8) + elements.joined() + Array("e".utf8)
  }

  public static func call(_ function: [UInt8], _ arguments: [[UInt8]]) -> [UInt8] {
    function + tuple(arguments) + Array("R".utf8)
  }

  public static func integers(_ values: [Int]) -> [UInt8] { tuple(values.map(integer)) }

  public static func storage(
    _ type: [UInt8] = global("torch", "FloatStorage"), key: String = "0", count: Int
  ) -> [UInt8] {
    tuple([text("storage"), type, text(key), text("cpu"), integer(count)]) + Array("Q".utf8)
  }

  public static func tensor(
    _ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]
  ) -> [UInt8] {
    call(
      global("torch._utils", "_rebuild_tensor_v2"),
      [
        storage, integer(offset), integers(shape), integers(strides), [0x89],
        call(global("collections", "OrderedDict"), []),
      ])
  }
}

/// A file of `torch.save` with one storage, `0`, of the float32 values 0, 1, 2 …
public func torchFile(
  _ pickle: [UInt8], valueCount: Int = 6, more: [(String, [UInt8])] = []
) -> ZipMaker {
  let values = (0..<valueCount).flatMap { number(Int(Float($0).bitPattern), 4) }
  return ZipMaker([("archive/data.pkl", pickle), ("archive/data/0", values)] + more)
}

/// A file of `torch.save` with a checkpoint whose `model` has these tensors, each with a storage of
/// its own. A generator's state lies beside it, as trainers leave it.
public func torchFile(model tensors: [String: WrittenTensor]) throws -> ZipMaker {
  var members: [(String, [UInt8])] = []
  var storages: [(String, [UInt8])] = [("archive/data/state", number(7, 8))]
  for (index, (name, tensor)) in tensors.sorted(by: { $0.key < $1.key }).enumerated() {
    let values = try tensor.values
    let storage = Pickle.storage(key: "\(index)", count: values.count)
    members.append(
      (name, Pickle.tensor(storage, shape: tensor.shape, strides: rowStrides(of: tensor.shape))))
    storages.append(("archive/data/\(index)", values.withUnsafeBytes { Array($0) }))
  }
  let state = Pickle.tensor(
    Pickle.storage(Pickle.global("torch", "ByteStorage"), key: "state", count: 8), shape: [8],
    strides: [1])
  let pickle = Pickle.file(
    Pickle.dictionary([("rng_state", state), ("model", Pickle.dictionary(members))]))
  return ZipMaker([("archive/data.pkl", pickle)] + storages)
}

/// The strides of a tensor that lies row by row.
private func rowStrides(of shape: [Int]) -> [Int] {
  shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
}
