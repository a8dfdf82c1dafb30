/// A value of a pickle, as far as tensors need it. Values refer to each other by number, so that no
/// nesting, however deep, makes anything call itself, not even to release memory.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case text(PickleText)
  case tuple(PickleTuple)
  case dictionary(UInt32)
  case storage(UInt32)
  case tensor(UInt32)
  case global(TorchGlobal)
  /// A list; what is in it is not kept.
  case list
  /// Something that no tensor needs (a float, an option of the training run); nothing of it is kept.
  case inert

  /// What a message calls it.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a bool"
    case .integer: "an integer"
    case .text: "a string"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    case .storage: "a storage"
    case .tensor: "a tensor"
    case .global: "a class or function"
    case .list: "a list"
    case .inert: "an object"
    }
  }
}

/// A string: where its UTF-8 lies in the pickle.
struct PickleText {
  let start: UInt32
  let count: UInt32

  init(_ range: Range<Int>) {
    start = UInt32(range.lowerBound)
    count = UInt32(range.count)
  }

  var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// A tuple: where its elements lie among those of all tuples.
struct PickleTuple {
  let start: UInt32
  let count: UInt32
}

/// A dictionary.
struct PickleDictionary {
  /// The members whose keys are strings.
  fileprivate(set) var members: [(key: PickleText, value: PickleValue)] = []
  /// Whether a tensor is among the members; kept, because a dictionary may be a member of many.
  fileprivate(set) var holdsTensors = false
}

/// A storage as the pickle names it: `data/KEY` of the zip file.
struct PickledStorage {
  let key: PickleText
  /// Nil where the bytes have no type of their own.
  let elementType: TorchElementType?
  /// The number of elements, or of bytes where there is no type.
  let count: Int
}

/// A tensor as the pickle describes it; nothing in it has been checked but the kinds of its fields.
struct PickledTensor {
  let storage: UInt32
  let elementType: TorchElementType
  let offset: Int
  let shape: PickleTuple
  let strides: PickleTuple
}

/// All that a pickle made.
struct PickleObjects {
  /// Each takes tens of bytes here. A checkpoint has some dozens for each tensor.
  static let maximumCount = 4_000_000
  /// The most bytes of the name of a tensor, a class or a function.
  static let maximumNameLength = 1024

  let bytes: UnsafeRawBufferPointer
  private(set) var count = 0
  private var tupleElements: [PickleValue] = []
  private(set) var dictionaries: [PickleDictionary] = []
  private(set) var storages: [PickledStorage] = []
  private(set) var tensors: [PickledTensor] = []

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Counts so many more.
  /// - Throws: `FormatProblem` where these are too many.
  mutating func take(_ more: Int) throws {
    guard more <= Self.maximumCount - count else {
      throw damaged("at most \(Self.maximumCount) objects in the pickle", "more")
    }
    count += more
  }

  mutating func addTuple(_ elements: ArraySlice<PickleValue>) throws -> PickleValue {
    try take(1 + elements.count)
    let start = UInt32(tupleElements.count)
    tupleElements.append(contentsOf: elements)
    return .tuple(PickleTuple(start: start, count: UInt32(elements.count)))
  }

  mutating func addDictionary() throws -> PickleValue {
    try take(1)
    dictionaries.append(PickleDictionary())
    return .dictionary(UInt32(dictionaries.count - 1))
  }

  mutating func addMember(_ value: PickleValue, key: PickleText, to dictionary: UInt32) {
    dictionaries[Int(dictionary)].members.append((key, value))
    if case .tensor = value { dictionaries[Int(dictionary)].holdsTensors = true }
  }

  mutating func add(_ storage: PickledStorage) throws -> PickleValue {
    try take(1)
    storages.append(storage)
    return .storage(UInt32(storages.count - 1))
  }

  mutating func add(_ tensor: PickledTensor) throws -> PickleValue {
    try take(1)
    tensors.append(tensor)
    return .tensor(UInt32(tensors.count - 1))
  }

  func elements(_ tuple: PickleTuple) -> ArraySlice<PickleValue> {
    tupleElements[Int(tuple.start)..<Int(tuple.start) + Int(tuple.count)]
  }

  /// The integers of a tuple, or nil where it holds something else.
  func integers(_ tuple: PickleTuple) -> [Int]? {
    var integers: [Int] = []
    integers.reserveCapacity(Int(tuple.count))
    for element in elements(tuple) {
      guard case .integer(let value) = element else { return nil }
      integers.append(value)
    }
    return integers
  }

  /// A name; nil where it is overlong or not UTF-8.
  func name(_ text: PickleText) -> String? {
    guard text.count <= Self.maximumNameLength else { return nil }
    return String(validating: bytes[text.range], as: UTF8.self)
  }
}
