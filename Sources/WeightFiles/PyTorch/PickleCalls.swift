/// What a pickle means by its calls; nothing is called.
extension PickleMachine {
  /// The storage that `('storage', class, key, location, count)` names.
  mutating func storage() throws -> PickleValue {
    let identifier = try pop()
    guard case .tuple(let tuple) = identifier, tuple.count == 5 else {
      throw damaged("five fields of a storage", identifier.kind)
    }
    let fields = Array(objects.elements(tuple))
    guard try string(fields[0]) == "storage", case .text(let key) = fields[2],
      case .integer(let count) = fields[4]
    else { throw damaged("a storage's key and count", "\(fields[2].kind), \(fields[4].kind)") }
    guard count >= 0 else { throw damaged("a storage's count of 0 or more", "\(count)") }
    let elementType: TorchElementType?
    switch fields[1] {
    case .global(.storageClass(let type)): elementType = type
    case .global(.untypedStorageClass): elementType = nil
    default: throw damaged("a class of storages", fields[1].kind)
    }
    return try objects.add(PickledStorage(key: key, elementType: elementType, count: count))
  }

  /// What `callable(*arguments)` gives, which lie on the stack.
  mutating func call() throws -> PickleValue {
    let (arguments, callable) = (try pop(), try pop())
    guard case .global(let global) = callable, case .tuple(let tuple) = arguments else {
      throw damaged("a function and its arguments", "\(callable.kind) and \(arguments.kind)")
    }
    switch global {
    case .inert:
      return .inert
    case .rebuildFromType:
      let arguments = try few(tuple)
      guard arguments.count == 4, case .tuple(let inner) = arguments[2] else {
        throw damaged("four arguments of _rebuild_from_type_v2", "\(arguments.count)")
      }
      return try rebuild(arguments[0], with: few(inner))
    case .dictionaryClass:
      return try makeDictionary(tuple)
    case .sizeClass:
      let arguments = try few(tuple)
      guard arguments.count == 1, case .tuple = arguments[0] else {
        throw damaged("one tuple for torch.Size", "\(arguments.count) arguments")
      }
      return arguments[0]
    case .rebuildTensor, .rebuildTypedTensor, .rebuildParameter, .rebuildParameterWithState,
      .storageClass, .untypedStorageClass, .elementType:
      return try rebuild(callable, with: few(tuple))
    }
  }

  /// What `class.__new__(class, *arguments)` gives.
  mutating func make() throws -> PickleValue {
    let (arguments, type) = (try pop(), try pop())
    guard case .tuple(let tuple) = arguments else {
      throw damaged("a tuple of arguments", arguments.kind)
    }
    switch type {
    case .global(.dictionaryClass): return try makeDictionary(tuple)
    case .global(.inert): return .inert
    default: throw damaged("a class that may be made", type.kind)
    }
  }

  /// The same with keywords, which no tensor needs.
  mutating func makeWithKeywords() throws -> PickleValue {
    _ = (try pop(), try pop())
    guard case .global(.inert) = try pop() else {
      throw damaged("a class that may be made by keywords", "another")
    }
    return .inert
  }

  /// An empty dictionary; the one argument it may have is what `defaultdict` fills gaps with.
  private mutating func makeDictionary(_ arguments: PickleTuple) throws -> PickleValue {
    for argument in try few(arguments) {
      switch argument {
      case .global, .none: break
      default: throw damaged("a dictionary made empty", "one made from \(argument.kind)")
      }
    }
    return try objects.addDictionary()
  }

  /// The elements of a tuple of arguments. One tuple may be used by every call of a pickle, so it
  /// must not be long.
  private func few(_ tuple: PickleTuple) throws -> [PickleValue] {
    guard tuple.count <= 8 else { throw damaged("at most 8 arguments", "\(tuple.count)") }
    return Array(objects.elements(tuple))
  }

  private mutating func rebuild(
    _ function: PickleValue, with arguments: [PickleValue]
  ) throws -> PickleValue {
    switch function {
    case .global(.rebuildTensor):
      guard (6...7).contains(arguments.count) else {
        throw damaged("6 or 7 arguments of _rebuild_tensor_v2", "\(arguments.count)")
      }
      return try tensor(arguments, elementType: nil)
    case .global(.rebuildTypedTensor):
      guard (7...8).contains(arguments.count), case .global(.elementType(let type)) = arguments[6]
      else { throw damaged("7 or 8 arguments of _rebuild_tensor_v3", "\(arguments.count)") }
      return try tensor(arguments, elementType: type)
    case .global(.rebuildParameter), .global(.rebuildParameterWithState):
      guard (3...4).contains(arguments.count), case .tensor = arguments[0] else {
        throw damaged("a parameter's tensor", arguments.first?.kind ?? "nothing")
      }
      return arguments[0]
    default:
      throw damaged("a function that makes tensors", function.kind)
    }
  }

  private mutating func tensor(
    _ arguments: [PickleValue], elementType: TorchElementType?
  ) throws -> PickleValue {
    guard case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1],
      case .tuple(let shape) = arguments[2], case .tuple(let strides) = arguments[3]
    else {
      let kinds = arguments.prefix(4).map(\.kind).joined(separator: ", ")
      throw damaged("a storage, an integer and two tuples to make a tensor from", kinds)
    }
    let ownType = objects.storages[Int(storage)].elementType
    guard let type = elementType ?? ownType, ownType == nil || ownType == type else {
      throw damaged("a tensor of its storage's element type", "another or none")
    }
    return try objects.add(
      PickledTensor(
        storage: storage, elementType: type, offset: offset, shape: shape, strides: strides))
  }

  /// Drops the attributes that an object would be given: those of a dictionary are notes on module
  /// versions.
  mutating func build() throws {
    _ = try pop()
    switch try top() {
    case .dictionary, .inert: break
    case let other: throw damaged("an object that may have attributes", other.kind)
    }
  }
}
