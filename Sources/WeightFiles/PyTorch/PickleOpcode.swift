/// Opcodes that put a value on the stack, which the bytes after them may spell out. They and
/// `PickleOpcode` are those of pickle's protocols 2 to 5 that Python 3 writes
/// (https://github.com/python/cpython/blob/main/Lib/pickletools.py). Those of older protocols, of
/// extension registries and of buffers outside the pickle are left out, and so refused.
enum PickleLiteral: UInt8 {
  case bytes = 0x42
  case shortBytes = 0x43
  case float = 0x47
  case int32 = 0x4A
  case uint8 = 0x4B
  case uint16 = 0x4D
  case none = 0x4E
  case text = 0x58
  case emptyList = 0x5D
  case global = 0x63
  case emptyDictionary = 0x7D
  case newTrue = 0x88
  case newFalse = 0x89
  case long = 0x8A
  case hugeLong = 0x8B
  case shortText = 0x8C
  case longText = 0x8D
  case longBytes = 0x8E
  case emptySet = 0x8F
  case byteArray = 0x96
}

/// Opcodes that work with what lies on the stack.
enum PickleOpcode: UInt8 {
  case mark = 0x28
  case emptyTuple = 0x29
  case stop = 0x2E
  case pop = 0x30
  case popMark = 0x31
  case duplicate = 0x32
  case persistentIdentifier = 0x51
  case reduce = 0x52
  case append = 0x61
  case build = 0x62
  case appends = 0x65
  case get = 0x68
  case longGet = 0x6A
  case put = 0x71
  case longPut = 0x72
  case setItem = 0x73
  case tuple = 0x74
  case setItems = 0x75
  case protocolVersion = 0x80
  case newObject = 0x81
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case addItems = 0x90
  case frozenSet = 0x91
  case newObjectWithKeywords = 0x92
  case stackGlobal = 0x93
  case memoize = 0x94
  case frame = 0x95
}
