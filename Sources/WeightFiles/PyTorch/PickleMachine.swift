/// Reads a pickle as `torch.save` writes it: a program for a small stack machine.
///
/// Python's machine imports and calls whatever the program names. This one has no way to call
/// anything: it knows the few names of `TorchGlobal` and makes descriptions of tensors. Each step
/// takes at least one byte and constant time (or time for what earlier steps put on the stack), the
/// stack and the number of objects are bounded, and nothing calls itself.
struct PickleMachine {
  static let maximumByteCount = 64 << 20
  /// The deepest stack. Python writes lists and dictionaries in batches of 1000.
  static let maximumDepth = 100_000

  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var stack: [PickleValue] = []
  /// The heights of the stack at its marks.
  private var marks: [Int] = []
  private var memo: [PickleValue] = []
  var objects: PickleObjects

  /// - Parameter bytes: The pickle; must outlive the machine.
  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    objects = PickleObjects(bytes)
  }

  /// Runs the pickle to its end.
  ///
  /// - Returns: The outermost value; what it refers to is in `objects`.
  /// - Throws: `FormatProblem`, also for a name that is not known.
  mutating func run() throws -> PickleValue {
    guard bytes.count <= Self.maximumByteCount else {
      throw damaged("a pickle of at most \(Self.maximumByteCount) bytes", "\(bytes.count)")
    }
    while true {
      let start = position
      let byte = try number(UInt8.self)
      if let literal = PickleLiteral(rawValue: byte) {
        stack.append(try value(of: literal))
      } else if let opcode = PickleOpcode(rawValue: byte) {
        guard opcode != .stop else { break }
        try execute(opcode)
      } else {
        throw damaged("opcodes of pickle protocols 2 to 5", "byte \(byte) at \(start)")
      }
      guard stack.count + marks.count <= Self.maximumDepth else {
        throw damaged("a pickle at most \(Self.maximumDepth) deep", "a deeper one")
      }
    }
    guard stack.count == 1, marks.isEmpty, let value = stack.last else {
      throw damaged("one value at the pickle's end", "\(stack.count), \(marks.count) marks")
    }
    return value
  }

  // MARK: Steps

  private mutating func value(of literal: PickleLiteral) throws -> PickleValue {
    switch literal {
    case .none: .none
    case .newTrue: .bool(true)
    case .newFalse: .bool(false)
    case .uint8: .integer(Int(try number(UInt8.self)))
    case .uint16: .integer(Int(try number(UInt16.self)))
    case .int32: .integer(Int(try number(Int32.self)))
    case .long: try long(Int(try number(UInt8.self)))
    case .hugeLong: try long(Int(try number(Int32.self)))
    case .float: try inert(byteCount: 8)
    case .shortText: .text(try text(Int(try number(UInt8.self))))
    case .text: .text(try text(Int(try number(UInt32.self))))
    case .longText: .text(try text(try longCount()))
    case .shortBytes: try inert(byteCount: Int(try number(UInt8.self)))
    case .bytes: try inert(byteCount: Int(try number(UInt32.self)))
    case .longBytes, .byteArray: try inert(byteCount: try longCount())
    case .emptyList: .list
    case .emptySet: .inert
    case .emptyDictionary: try objects.addDictionary()
    case .global: try global(module: try line(), name: try line())
    }
  }

  private mutating func execute(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .protocolVersion: try checkVersion()
    case .frame: try checkFrame()
    case .stop: break

    case .emptyTuple: try makeTuple(from: stack.count)
    case .tuple1: try makeTuple(from: stack.count - 1)
    case .tuple2: try makeTuple(from: stack.count - 2)
    case .tuple3: try makeTuple(from: stack.count - 3)
    case .tuple: try makeTuple(from: try popMark())
    case .frozenSet:
      stack.removeSubrange(try popMark()...)
      stack.append(.inert)
    case .append: try addToList(from: stack.count - 1)
    case .appends, .addItems: try addToList(from: try popMark())
    case .setItem: try setItems(from: stack.count - 2)
    case .setItems: try setItems(from: try popMark())

    case .mark: marks.append(stack.count)
    case .pop: _ = try pop()
    case .popMark: stack.removeSubrange(try popMark()...)
    case .duplicate: stack.append(try top())
    case .put: try memoize(at: Int(try number(UInt8.self)))
    case .longPut: try memoize(at: Int(try number(UInt32.self)))
    case .memoize: try memoize(at: memo.count)
    case .get: try recall(Int(try number(UInt8.self)))
    case .longGet: try recall(Int(try number(UInt32.self)))

    case .stackGlobal:
      // What pops comes first: within a call on self the stack would be copied each time.
      let (name, module) = (try pop(), try pop())
      let value = try global(module: try string(module), name: try string(name))
      stack.append(value)
    case .persistentIdentifier: stack.append(try storage())
    case .reduce: stack.append(try call())
    case .newObject: stack.append(try make())
    case .newObjectWithKeywords: stack.append(try makeWithKeywords())
    case .build: try build()
    }
  }

  // MARK: Stack

  /// - Throws: Where nothing lies above the last mark.
  func top() throws -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw damaged("a value on the pickle's stack", "none at \(position)")
    }
    return value
  }

  mutating func pop() throws -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popMark() throws -> Int {
    guard let mark = marks.popLast() else {
      throw damaged("a mark on the pickle's stack", "none at \(position)")
    }
    return mark
  }

  private mutating func memoize(at index: Int) throws {
    let value = try top()
    if index == memo.count {
      try objects.take(1)
      memo.append(value)
    } else if index < memo.count {
      memo[index] = value
    } else {
      throw damaged("memo \(memo.count) of the pickle", "\(index)")
    }
  }

  private mutating func recall(_ index: Int) throws {
    guard index < memo.count else {
      throw damaged("a memo below \(memo.count) of the pickle", "\(index)")
    }
    stack.append(memo[index])
  }
}

// MARK: Values

extension PickleMachine {
  /// Makes one value of those from a height on. (A slice of the stack that outlived the call would
  /// make the next change copy the stack.)
  private mutating func makeTuple(from start: Int) throws {
    guard start >= marks.last ?? 0 else {
      throw damaged("enough values on the pickle's stack", "too few at \(position)")
    }
    let tuple = try objects.addTuple(stack[start...])
    stack.removeSubrange(start...)
    stack.append(tuple)
  }

  /// Puts the values from a height on into the list below them, which means that they are dropped.
  private mutating func addToList(from start: Int) throws {
    guard start > marks.last ?? 0 else {
      throw damaged("a list on the pickle's stack", "none at \(position)")
    }
    switch stack[start - 1] {
    case .list, .inert: stack.removeSubrange(start...)
    case let other: throw damaged("a list to add to", other.kind)
    }
  }

  /// Puts the keys and values from a height on into the dictionary below them. Keys that are no
  /// strings name no weights, and are dropped.
  private mutating func setItems(from start: Int) throws {
    guard start > marks.last ?? 0, (stack.count - start) % 2 == 0 else {
      throw damaged("a dictionary, keys and values on the pickle's stack", "others at \(position)")
    }
    switch stack[start - 1] {
    case .dictionary(let dictionary):
      try objects.take((stack.count - start) / 2)
      for index in stride(from: start, to: stack.count, by: 2) {
        guard case .text(let key) = stack[index] else { continue }
        objects.addMember(stack[index + 1], key: key, to: dictionary)
      }
    case .inert: break
    case let other: throw damaged("a dictionary to add to", other.kind)
    }
    stack.removeSubrange(start...)
  }

  private mutating func inert(byteCount: Int) throws -> PickleValue {
    try skip(byteCount)
    return .inert
  }

  /// An integer of up to 8 bytes; larger ones are seeds and the like.
  private mutating func long(_ count: Int) throws -> PickleValue {
    let start = position
    try skip(count)
    guard count <= 8 else { return .inert }
    var value: UInt64 = 0
    for byte in bytes[start..<position].reversed() { value = value << 8 | UInt64(byte) }
    // The highest bit is the sign. (Shifts by 64 leave the 0 of no bytes.)
    let unused = 64 - 8 * count
    return .integer(Int(Int64(bitPattern: value << unused) >> unused))
  }

  private func global(module: String, name: String) throws -> PickleValue {
    if let global = TorchGlobal(module: module, name: name) { return .global(global) }
    if let unread = TorchGlobal.unread(module: module, name: name) {
      throw unsupported("one with \(unread.kind), which are not read", remedy: unread.remedy)
    }
    throw FormatProblem(
      expected: "tensors and plain values",
      found: "\(module).\(name), which could run anything",
      remedy: "nothing was run. If you trust the file, save its model's state_dict() alone, or as "
        + "safetensors")
  }

  // MARK: Bytes

  mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type
  ) throws -> Number {
    guard let number = bytes.littleEndian(type, at: position) else {
      throw damaged("the end of the pickle", "the end of its bytes before it")
    }
    position += MemoryLayout<Number>.size
    return number
  }

  private mutating func skip(_ count: Int) throws {
    guard count >= 0, count <= bytes.count - position else {
      throw damaged("\(count) bytes from \(position) of the pickle", "\(bytes.count - position)")
    }
    position += count
  }

  private mutating func longCount() throws -> Int {
    let count = try number(UInt64.self)
    return Int(exactly: count) ?? .max
  }

  private mutating func checkVersion() throws {
    let version = try number(UInt8.self)
    guard (2...5).contains(version) else { throw damaged("pickle protocol 2 to 5", "\(version)") }
  }

  private mutating func checkFrame() throws {
    let count = try longCount()
    guard count <= bytes.count - position else {
      throw damaged("a frame within the pickle", "\(count) bytes from \(position)")
    }
  }

  private mutating func text(_ count: Int) throws -> PickleText {
    let start = position
    try skip(count)
    return PickleText(start..<position)
  }

  /// A name that ends with a line feed.
  private mutating func line() throws -> String {
    let rest = bytes[position...].prefix(PickleObjects.maximumNameLength + 1)
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
      throw damaged("a name of at most \(PickleObjects.maximumNameLength) bytes", "a longer one")
    }
    let text = PickleText(position..<end)
    position = end + 1
    return try string(.text(text))
  }

  /// A short string, as names and keys are.
  func string(_ value: PickleValue) throws -> String {
    guard case .text(let text) = value, let string = objects.name(text) else {
      throw damaged(
        "a name of at most \(PickleObjects.maximumNameLength) bytes in UTF-8", value.kind)
    }
    return string
  }
}
