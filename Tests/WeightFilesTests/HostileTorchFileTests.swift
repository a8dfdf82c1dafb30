import Foundation
import TestSupport
import Testing

@testable import WeightFiles

/// Zip files and pickles that claim what is not so, or ask for what must not be done.
@Suite struct HostileTorchFileTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let pickle = Pickle.file(Pickle.dictionary([("w", TorchSamples.plain)]))

  private func refuse(_ mention: String, _ bytes: [UInt8], name: String = "model.bin") throws {
    let url = try folder.replace(name, with: bytes)
    let error = #expect(throws: WeightFileError.self) { try WeightFolder(url) }
    let description = error?.description ?? ""
    #expect(description.contains(mention), "\(description)")
    #expect(description.contains(url.path), "\(description)")
  }

  private func refuse(_ mention: String, pickle: [UInt8]) throws {
    try refuse(mention, torchFile(pickle).file)
  }

  // MARK: Zip

  @Test func entriesThatAreNotAsTheySayAreRefused() throws {
    func refuse(_ mention: String, _ change: (inout ZipMaker) -> Void) throws {
      for isWide in [false, true] {
        var maker = torchFile(Self.pickle)
        maker.isWide = isWide
        change(&maker)
        try self.refuse(mention, maker.file)
      }
    }
    try refuse("is compressed") { $0.entries[1].method = 8 }
    try refuse("encrypted") { $0.entries[1].flags = 1 }
    try refuse("encrypted") { $0.entries[1].flags = 0x2000 }
    try refuse("one zip entry archive/data.pkl, found two") { $0.entries.append($0.entries[0]) }
    try refuse("bytes of zip entry archive/data/0") { $0.entries[1].claimedSize = 1 << 30 }
    try refuse("to begin after") {
      $0.entries[0].claimedSize = $0.entries[0].bytes.count + 60
    }
    try refuse("one of another name") { $0.entries[1].claimedOffset = 0 }
    try refuse("the header of zip entry") { $0.entries[1].claimedOffset = 3 }
    try refuse("to begin before") { $0.entries[1].claimedOffset = 1 << 30 }
    try refuse("without the one data.pkl") { $0.entries.remove(at: 0) }
    try refuse("without the one data.pkl") {
      $0.entries.append(.init(name: "other/data.pkl", bytes: []))
    }
    try refuse("TorchScript") {
      $0.entries.append(.init(name: "archive/constants.pkl", bytes: []))
      $0.entries.append(.init(name: "archive/code/a.py", bytes: [], method: 8))
    }
    try refuse("little-endian") {
      $0.entries.append(.init(name: "archive/byteorder", bytes: Array("big".utf8)))
    }
    try refuse("its storage in the zip file, found none") { $0.entries.remove(at: 1) }
    try refuse("6 elements in storage 0, found 23 bytes") { $0.entries[1].bytes.removeLast() }
  }

  @Test func sizesBeyondAllFilesAreRefused() throws {
    for size in [Int.max, Int.max - 29, Int(bitPattern: UInt.max), Int.min, 1 << 62] {
      var maker = torchFile(Self.pickle)
      maker.isWide = true
      maker.entries[1].claimedSize = size
      try refuse("zip entry archive/data/0", maker.file)
      maker.entries[1].claimedSize = nil
      maker.entries[1].claimedOffset = size
      try refuse("zip entry archive/data/0", maker.file)
    }
  }

  @Test func cutFilesAreRefused() throws {
    let file = torchFile(Self.pickle).file
    for count in stride(from: 1, to: file.count, by: 3) {
      try refuse("model.bin", Array(file[..<count]))
    }
  }

  @Test func directoryBehindACommentIsFound() throws {
    var file = torchFile(Self.pickle).file
    file.replaceSubrange((file.count - 2)..., with: number(7, 2) + Array("PK\u{5}\u{6} hi".utf8))
    let url = try folder.replace("model.bin", with: file)
    #expect(try WeightFolder(url).names == ["w"])
  }

  @Test func otherFormatsAreNamed() throws {
    try refuse("neither a zip file", Array("hello, this is not a file of weights".utf8))
    try refuse("a bare pickle", Self.pickle, name: "model.pth")
    let tar = [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8) + [0]
    try refuse("tar file", tar, name: "model.pt")
    try refuse("cut short", [0x50, 0x4B, 3, 4])
    let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    try refuse("before version 1.6", [0x80, 2, 0x8A, 10] + magic + Pickle.stop)
  }

  // MARK: Pickle

  @Test(arguments: [
    ("posix", "system"), ("os", "system"), ("builtins", "eval"), ("builtins", "getattr"),
    ("builtins", "__import__"), ("torch", "load"), ("torch.nn.modules.linear", "Linear"),
    ("torch.storage", "_load_from_bytes"), ("numpyx", "dtype"), ("__main__", "Net"),
    ("__torch__", "Net"), ("types", "FunctionType"), ("functools", "partial"),
    ("__builtin__", "eval"), ("__builtin__", "apply"), ("UserDictX", "UserDict"),
  ])
  func otherNamesAreRefused(module: String, name: String) throws {
    let global = Pickle.global(module, name)
    let values = [
      global, Pickle.call(global, [Pickle.text("touch PWNED")]), global + [0x29, 0x81],
      [0x8C, UInt8(module.utf8.count)] + module.utf8 + [0x8C, UInt8(name.utf8.count)] + name.utf8
        + [0x93],
    ]
    for value in values {
      let pickle = Pickle.dictionary([("w", TorchSamples.plain), ("other", value)])
      try refuse("\(module).\(name), which could run anything", pickle: Pickle.file(pickle))
    }
  }

  @Test(arguments: [
    ("_rebuild_sparse_tensor", "sparse tensors, which are not read; save them by tensor.to_dense"),
    ("_rebuild_qtensor", "quantised tensors, which are not read; save them by tensor.dequantize"),
  ])
  func tensorsOfOtherKindsAreNamed(name: String, mention: String) throws {
    let tensor = Pickle.call(Pickle.global("torch._utils", name), [Pickle.none])
    try refuse(mention, pickle: Pickle.file(Pickle.dictionary([("w", tensor)])))
  }

  /// Each tensor is within bounds; all of them are too much.
  @Test func memoryOfAllTensorsIsBounded() throws {
    let repeated = Pickle.tensor(Pickle.storage(count: 6), shape: [8 << 20], strides: [0])
    func dictionary(_ names: some Sequence<Int>, of tensor: [UInt8]) -> [UInt8] {
      Pickle.file(Pickle.dictionary(names.map { ("w\($0)", tensor) }))
    }
    // 32 MiB each, of a file of less than a thousand bytes.
    let url = try folder.replace("model.bin", with: torchFile(dictionary(1...2, of: repeated)).file)
    #expect(try WeightFolder(url).names == ["w1", "w2"])
    try refuse("tensor w3: expected at most", pickle: dictionary(1...9, of: repeated))

    // Nothing of these is copied from a file of 1 MiB, but as float32 each takes 4 MiB.
    let bytes = Pickle.storage(Pickle.global("torch", "ByteStorage"), count: 1 << 20)
    let shared = Pickle.tensor(bytes, shape: [1 << 20], strides: [1])
    func file(_ count: Int) -> [UInt8] {
      torchFile(dictionary(10..<10 + count, of: shared), valueCount: 1 << 18).file
    }
    let narrow = try folder.replace("model.bin", with: file(18))
    #expect(try WeightFolder(narrow).names.count == 18)
    try refuse("tensor w28: expected at most", file(30))
  }

  /// What a machine may be told to do without having what it takes.
  @Test(arguments: [
    (".", "one value at the pickle's end"), ("NN.", "one value"), ("(N.", "one value"),
    ("0.", "a value on the pickle's stack"), ("N(0.", "a value on the pickle's stack"),
    ("t.", "a mark"), ("1.", "a mark"), ("u.", "a mark"), ("(u.", "a dictionary"),
    ("}(Nu.", "a dictionary, keys"), ("](NNu.", "a dictionary to add to"),
    ("}Na.", "a list to add"),
    ("a.", "a list on"), ("s.", "a dictionary, keys"), ("(e.", "a list on"), ("h\u{1}.", "a memo"),
    ("Nq\u{5}.", "memo 0"), ("q\u{0}.", "a value"), ("R.", "a value"), ("NR.", "a value"),
    ("N)R.", "a function"), ("NNb.", "an object that may"), ("NQ.", "five fields"),
    ("I1\n.", "opcodes"), ("cos\n", "a name of at most"), ("c\n\n.", "found ."),
    ("X\u{9}\u{0}\u{0}\u{0}a.", "9 bytes"), ("G", "8 bytes"), ("N", "the end of the pickle"),
    ("]\u{81}", "a value on"), ("", "the end of the pickle"),
  ])
  func nonsenseIsRefused(code: String, mention: String) throws {
    // The scalars below 256 stand for bytes.
    let bytes = code.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    try refuse(mention, pickle: [0x80, 2] + bytes)
  }

  @Test(arguments: [
    ([0x8D] + number(Int.max, 8), "bytes from"), ([0x8D] + number(-1, 8), "bytes from"),
    ([0x8E] + number(-1, 8), "bytes from"), ([0x96] + number(1 << 62, 8), "bytes from"),
    ([0x95] + number(-1, 8), "a frame"), ([0x8B] + number(-1, 4), "-1 bytes"),
    ([0x80, 6], "protocol 2 to 5"), ([0x97], "opcodes"), ([0x82, 1], "opcodes"),
    ([0x91], "a mark"), ([0x29, 0x29, 0x93], "a name"),
  ])
  func countsBeyondThePickleAreRefused(code: [UInt8], mention: String) throws {
    try refuse(mention, pickle: [0x80, 4] + code + Pickle.stop)
  }

  @Test func wrongArgumentsAreRefused() throws {
    let rebuild = Pickle.global("torch._utils", "_rebuild_tensor_v2")
    let rebuildTyped = Pickle.global("torch._utils", "_rebuild_tensor_v3")
    let parameter = Pickle.global("torch._utils", "_rebuild_parameter")
    let fromType = Pickle.global("torch._tensor", "_rebuild_from_type_v2")
    let dictionary = Pickle.global("collections", "OrderedDict")
    let storage = Pickle.storage(count: 6)
    let shape = Pickle.integers([6])
    let one = Pickle.integers([1])
    let none = Pickle.none
    let cases: [([UInt8], String)] = [
      (Pickle.call(rebuild, [none]), "6 or 7 arguments"),
      (Pickle.call(rebuild, [[UInt8]](repeating: none, count: 9)), "at most 8"),
      (Pickle.call(rebuild, [none, none, none, none, none, none]), "a storage, an integer"),
      (
        Pickle.call(rebuildTyped, [storage, Pickle.integer(0), shape, one, none, none, none]),
        "7 or 8"
      ),
      (
        Pickle.call(
          rebuildTyped,
          [storage, Pickle.integer(0), shape, one, none, none, Pickle.global("torch", "int64")]),
        "its storage's element type"
      ),
      (Pickle.call(parameter, [none, none, none]), "a parameter's tensor"),
      (Pickle.call(fromType, [none, none, none]), "four arguments"),
      (Pickle.call(fromType, [fromType, none, Pickle.tuple([]), none]), "a function that makes"),
      (Pickle.call(dictionary, [Pickle.list([])]), "made empty"),
      (Pickle.call(Pickle.global("torch", "Size"), [none]), "torch.Size"),
      (Pickle.call(Pickle.global("torch", "FloatStorage"), [none]), "a function that makes"),
      (Pickle.storage(count: -1), "0 or more"),
      (Pickle.storage(dictionary, count: 1), "a class of storages"),
      (TorchSamples.plain + none + Pickle.build, "an object that may have"),
      (storage + Pickle.tuple([]) + [0x81], "a class that may be made"),
    ]
    for (value, mention) in cases {
      try refuse(mention, pickle: Pickle.file(Pickle.dictionary([("w", value)])))
    }
  }

  @Test func depthAndNumberAreBounded() throws {
    // Deeper than any stack, but closed again: lists in lists, tuples in tuples.
    let depth = 1_900_000
    let tuples = Pickle.file([0x29] + [UInt8](repeating: 0x85, count: depth))
    try refuse("found a tuple", pickle: tuples)
    try refuse("100000 deep", pickle: Pickle.file([UInt8](repeating: 0x28, count: depth)))
    let dictionaries = [UInt8](repeating: 0, count: depth * 2).enumerated().map {
      $0.offset % 2 == 0 ? UInt8(ascii: "}") : UInt8(ascii: "0")
    }
    try refuse("found None", pickle: Pickle.file(dictionaries + Pickle.none))
    try refuse(
      "at most 4000000 objects", pickle: Pickle.file(dictionaries + dictionaries + dictionaries))
  }

  /// Work that small files could make large: long tuples used again and again.
  @Test func sharedValuesCostNoTime() throws {
    let long = Pickle.tuple([[UInt8]](repeating: Pickle.none, count: 90_000)) + [0x94]
    let again = [[UInt8]](repeating: [0x68, 0, 0x30], count: 300_000).joined()
    try refuse("found a tuple", pickle: Pickle.file(long + again))
    let calls = [[UInt8]](
      repeating: Pickle.global("numpy", "dtype") + [0x68, 0, 0x52, 0x30], count: 100_000
    ).joined()
    let duration = try WorkTime.measure {
      try refuse("found a tuple", pickle: Pickle.file(long + calls))
    }
    #expect(duration < .seconds(20))
  }

  @Test func copiedTensorOutlivesItsFile() throws {
    let pickle = Pickle.file(Pickle.dictionary([("w", TorchSamples.transposed)]))
    let url = try folder.replace("model.bin", with: torchFile(pickle).file)
    let tensor = try WeightFolder(url).tensor(named: "w").tensor()
    #expect(tensor.values == [0, 3, 1, 4, 2, 5])
  }
}
