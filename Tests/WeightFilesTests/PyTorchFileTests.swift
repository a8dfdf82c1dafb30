import Foundation
import TestSupport
import Testing

@testable import WeightFiles

/// Pickles that public files have.
enum TorchSamples {
  static let plain = Pickle.tensor(Pickle.storage(count: 6), shape: [2, 3], strides: [3, 1])
  static let transposed = Pickle.tensor(Pickle.storage(count: 6), shape: [3, 2], strides: [1, 3])

  /// With options, numbers of numpy, paths and an optimiser's state beside the model.
  static let checkpoint: [UInt8] = {
    let options =
      Pickle.global("argparse", "Namespace") + [0x29, 0x81]
      + Pickle.dictionary([("rate", Pickle.float)]) + Pickle.build
    let scalar = Pickle.call(
      Pickle.global("numpy.core.multiarray", "scalar"),
      [Pickle.call(Pickle.global("numpy", "dtype"), [Pickle.text("f8")]), [0x43, 1, 0]])
    let parameter = Pickle.call(
      Pickle.global("torch._utils", "_rebuild_parameter"),
      [plain, [0x88], Pickle.call(Pickle.global("collections", "OrderedDict"), [])])
    let subclass = Pickle.call(
      Pickle.global("torch._tensor", "_rebuild_from_type_v2"),
      [
        Pickle.global("torch._utils", "_rebuild_parameter"),
        Pickle.global("torch.nn.parameter", "Parameter"),
        Pickle.tuple([transposed, [0x88], Pickle.none]), Pickle.none,
      ])
    let untyped = Pickle.call(
      Pickle.global("torch._utils", "_rebuild_tensor_v3"),
      [
        Pickle.storage(Pickle.global("torch.storage", "UntypedStorage"), count: 24),
        Pickle.integer(2), Pickle.integers([2]), Pickle.integers([1]), [0x89], Pickle.none,
        Pickle.global("torch", "float32"),
      ])
    var model = Pickle.call(Pickle.global("collections", "OrderedDict"), [])
    let members = [
      ("p", parameter), ("t", subclass), ("u", untyped), ("steps", Pickle.integer(5)),
    ]
    for (name, value) in members { model += Pickle.text(name) + value + Pickle.setItem }
    model += Pickle.dictionary([("_metadata", Pickle.dictionary([]))]) + Pickle.build
    // A parameter's number is the key.
    let average = Pickle.dictionary([("average", plain)])
    let optimizer = Array("}".utf8) + Pickle.integer(0) + average + Pickle.setItem
    let path = Pickle.call(Pickle.global("pathlib", "PosixPath"), [Pickle.text("/data")])
    let size = Pickle.call(Pickle.global("torch", "Size"), [Pickle.integers([2, 3])])
    return Pickle.file(
      Pickle.dictionary([
        ("epoch", Pickle.integer(3)), ("model", model), ("args", options), ("best", scalar),
        ("optimizer", Pickle.dictionary([("state", optimizer)])), ("size", size), ("path", path),
        ("history", Pickle.list([Pickle.float, Pickle.none])),
        ("seed", [0x8A, 9] + [UInt8](repeating: 1, count: 9)),
        ("ema", Pickle.dictionary([("p", plain)])),
      ]), version: 4)
  }()
}

@Suite struct PyTorchFileTests {
  private func open(_ bytes: [UInt8], name: String = "model.bin") throws -> WeightFolder {
    let folder = try TemporaryFolder()
    return try WeightFolder(folder.replace(name, with: bytes))
  }

  private func open(pickle: [UInt8]) throws -> WeightFolder {
    try open(torchFile(Pickle.file(pickle)).file)
  }

  private func refuse(_ mention: String, _ bytes: [UInt8]) {
    let error = #expect(throws: WeightFileError.self) { try open(bytes) }
    let description = error?.description ?? ""
    #expect(description.contains(mention), "\(description)")
  }

  @Test(arguments: [false, true]) func checkpointsModelIsRead(isWide: Bool) throws {
    var maker = torchFile(
      TorchSamples.checkpoint, more: [("archive/byteorder", Array("little".utf8))])
    maker.isWide = isWide
    let file = try open(maker.file)
    #expect(file.names == ["p", "t", "u"])
    #expect(try file.tensor(named: "p").floats() == [0, 1, 2, 3, 4, 5])
    #expect(try file.tensor(named: "p").shape == [2, 3])
    #expect(try file.tensor(named: "t").floats() == [0, 3, 1, 4, 2, 5])
    #expect(try file.tensor(named: "u").floats() == [2, 3])
    #expect(throws: WeightFileError.missingTensor(file: file.url.path, tensor: "epoch")) {
      try file.tensor(named: "epoch")
    }
  }

  @Test func contentDecidesAndNotTheExtension() throws {
    let torch = torchFile(Pickle.file(Pickle.dictionary([("w", TorchSamples.plain)]))).file
    #expect(try open(torch, name: "model.safetensors").names == ["w"])
    #expect(try open([UInt8](EveryElementType.file()), name: "model.pt").contains("bf16"))
  }

  @Test func folderOfTorchFilesIsRead() throws {
    let folder = try TemporaryFolder()
    func write(_ name: String, to file: String) throws {
      let pickle = Pickle.file(Pickle.dictionary([(name, TorchSamples.plain)]))
      try folder.replace(file, with: torchFile(pickle).file)
    }
    try write("a", to: "pytorch_model-1.bin")
    try write("b", to: "pytorch_model-2.bin")
    try folder.write(
      #"{"weight_map": {"a": "pytorch_model-1.bin", "b": "pytorch_model-2.bin"}}"#,
      to: "pytorch_model.bin.index.json")
    #expect(try WeightFolder(folder.url).names == ["a", "b"])
    try write("whole", to: "pytorch_model.bin")
    #expect(try WeightFolder(folder.url).names == ["whole"])
    try folder.replace("model.safetensors", with: [UInt8](EveryElementType.file()))
    #expect(try WeightFolder(folder.url).contains("f64"))
  }

  /// Shape, strides, first element, and the values of a storage that holds 0 … 5.
  @Test(
    arguments: [
      ([2, 3], [3, 1], 0, [0, 1, 2, 3, 4, 5]), ([2], [1], 4, [4, 5]), ([], [], 3, [3]),
      ([3, 2], [1, 3], 0, [0, 3, 1, 4, 2, 5]), ([3], [2], 1, [1, 3, 5]),
      ([2, 2, 2], [0, 1, 3], 1, [1, 4, 2, 5, 1, 4, 2, 5]), ([1, 2, 1], [99, 1, 7], 0, [0, 1]),
      ([2, 2], [1, 1], 0, [0, 1, 1, 2]), ([0, 3], [3, 1], 0, []), ([2, 0], [0, 1], 99, []),
    ] as [([Int], [Int], Int, [Float])])
  func stridesAreFollowed(shape: [Int], strides: [Int], offset: Int, values: [Float]) throws {
    let tensor = Pickle.tensor(
      Pickle.storage(count: 6), offset: offset, shape: shape, strides: strides)
    let stored = try open(pickle: Pickle.dictionary([("w", tensor)])).tensor(named: "w")
    #expect(stored.shape == shape)
    #expect(try stored.floats() == values)
    #expect(try stored.tensor().values == values)
  }

  @Test(
    arguments: [
      ([2, 3], [3, 1], 1, "elements within"), ([7], [1], 0, "elements within"),
      ([2], [1], -1, "0 or more"), ([2], [-1], 1, "0 or more"), ([-2], [1], 0, "0 or more"),
      ([2, 3], [3], 0, "as many strides"), ([Int](repeating: 1, count: 9), [], 0, "8 dimensions"),
      ([1 << 40, 1 << 40], [0, 0], 0, "countable"), ([1 << 61], [0], 0, "countable"),
      ([1 << 40], [0], 0, "where elements repeat"), ([3, 2], [Int.max, 1], 0, "elements within"),
      ([2], [1], Int.max, "elements within"), ([2, 2], [Int.max, Int.max], 0, "elements within"),
    ] as [([Int], [Int], Int, String)])
  func impossibleLayoutsAreRefused(
    shape: [Int], strides: [Int], offset: Int, mention: String
  ) throws {
    let tensor = Pickle.tensor(
      Pickle.storage(count: 6), offset: offset, shape: shape, strides: strides)
    refuse(mention, torchFile(Pickle.file(Pickle.dictionary([("w", tensor)]))).file)
  }

  @Test func weightsAreChosenByTheRule() throws {
    let member = Pickle.dictionary([("w", TorchSamples.plain)])
    let other = Pickle.dictionary([("x", TorchSamples.plain)])
    #expect(
      try open(pickle: Pickle.dictionary([("a", other), ("state_dict", member)])).names == ["w"])
    #expect(
      try open(pickle: Pickle.dictionary([("state_dict", other), ("model", member)])).names == ["w"]
    )
    #expect(
      try open(pickle: Pickle.dictionary([("teacher", member), ("epoch", Pickle.none)])).names == [
        "w"
      ])
    // A generator's state and the like lie beside the model, not in its place.
    #expect(
      try open(pickle: Pickle.dictionary([("top", TorchSamples.plain), ("model", member)])).names
        == ["w"])
    #expect(
      try open(pickle: Pickle.dictionary([("top", TorchSamples.plain), ("other", member)])).names
        == ["top"])
    func refuse(_ mention: String, _ pickle: [UInt8]) {
      self.refuse(mention, torchFile(Pickle.file(pickle)).file)
    }
    refuse("found a, b; save the one", Pickle.dictionary([("a", member), ("b", other)]))
    refuse("found a dictionary without any", Pickle.dictionary([("a", Pickle.none)]))
    refuse("found a tensor", TorchSamples.plain)
    refuse("found a list", Pickle.list([TorchSamples.plain]))
    refuse("w twice", Pickle.dictionary([("w", TorchSamples.plain), ("w", TorchSamples.plain)]))
    refuse("model twice", Pickle.dictionary([("model", member), ("model", other)]))
  }

  /// Dictionaries within dictionaries, as trainers wrap what they wrap.
  @Test func weightsAreFoundBelow() throws {
    func nested(_ names: [String], in inner: [UInt8]) -> [UInt8] {
      names.reversed().reduce(inner) { Pickle.dictionary([($1, $0), ("epoch", Pickle.none)]) }
    }
    let member = Pickle.dictionary([("w", TorchSamples.plain)])
    let other = Pickle.dictionary([("x", TorchSamples.plain)])
    for names in [
      ["model", "module"], ["state_dict", "encoder"], ["run", "model"], ["a", "b", "c"],
      ["a", "b", "c", "d"],
    ] {
      #expect(try open(pickle: nested(names, in: member)).names == ["w"], "\(names)")
    }
    // A preferred name's weights come before another's, though they lie deeper.
    let both = Pickle.dictionary([("ema", other), ("model", nested(["module"], in: member))])
    #expect(try open(pickle: both).names == ["w"])
    let without = Pickle.dictionary([("ema", other), ("model", Pickle.dictionary([]))])
    #expect(try open(pickle: without).names == ["x"])

    func refuse(_ mention: String, _ pickle: [UInt8]) {
      self.refuse(mention, torchFile(Pickle.file(pickle)).file)
    }
    refuse("without any", nested(["a", "b", "c", "d", "e"], in: member))
    refuse(
      "without any",
      Pickle.dictionary([("a", nested(["b"], in: member)), ("c", nested(["d"], in: member))]))
    refuse("found p, q;", nested(["model"], in: Pickle.dictionary([("p", member), ("q", other)])))
    // A dictionary that is its own member.
    let itself = Array("}".utf8) + [0x94] + Pickle.text("model") + [0x68, 0] + Pickle.setItem
    refuse("without any", itself)
  }

  /// Only who asks for such a tensor is refused.
  @Test(arguments: [("ComplexFloatStorage", "complex64"), ("QInt8Storage", "qint8")])
  func elementTypesThatAreNotReadAreNamed(name: String, found: String) throws {
    let storage = Pickle.storage(Pickle.global("torch", name), count: 3)
    try expectUnread(Pickle.tensor(storage, shape: [3], strides: [1]), found: found)
  }

  @Test(arguments: ["uint16", "float8_e4m3fn"])
  func typedTensorsThatAreNotReadAreNamed(name: String) throws {
    let storage = Pickle.storage(Pickle.global("torch.storage", "UntypedStorage"), count: 24)
    let tensor = Pickle.call(
      Pickle.global("torch._utils", "_rebuild_tensor_v3"),
      [
        storage, Pickle.integer(0), Pickle.integers([3]), Pickle.integers([1]), [0x89], Pickle.none,
        Pickle.global("torch", name),
      ])
    try expectUnread(tensor, found: name)
  }

  private func expectUnread(_ tensor: [UInt8], found: String) throws {
    let file = try open(pickle: Pickle.dictionary([("odd", tensor), ("w", TorchSamples.plain)]))
    #expect(file.names == ["odd", "w"] && file.contains("odd"))
    #expect(try file.tensor(named: "w").floats() == [0, 1, 2, 3, 4, 5])
    #expect(try file.shape(of: "w") == [2, 3])
    for read in [{ _ = try file.tensor(named: "odd") }, { _ = try file.shape(of: "odd") }] {
      let error = #expect(throws: WeightFileError.self) { try read() }
      guard case .unsupportedElementType(_, "odd", found) = error else {
        Issue.record("\(error.map { $0.description } ?? "nothing")")
        continue
      }
    }
  }

  /// What lies in the file as it is wanted is not copied.
  @Test func slicesAreViews() throws {
    let slice = Pickle.tensor(Pickle.storage(count: 6), offset: 4, shape: [2], strides: [1])
    let pickle = Pickle.dictionary([
      ("whole", TorchSamples.plain), ("slice", slice), ("turned", TorchSamples.transposed),
    ])
    let folder = try TemporaryFolder()
    let file = try PyTorchFile(
      folder.replace("model.bin", with: torchFile(Pickle.file(pickle)).file))
    let whole = try file.tensor(named: "whole")
    #expect(whole.owner === file.file)
    #expect(
      try file.tensor(named: "slice").bytes.baseAddress == whole.bytes.baseAddress.map { $0 + 16 })
    #expect(try file.tensor(named: "turned").owner !== file.file)
  }

  /// What protocol 2 calls Python 3's own types, beside the model.
  @Test(arguments: [
    ("__builtin__", "long"), ("__builtin__", "unicode"), ("__builtin__", "xrange"),
    ("__builtin__", "Ellipsis"), ("__builtin__", "NotImplemented"), ("__builtin__", "type"),
    ("UserDict", "IterableUserDict"), ("UserList", "UserList"), ("copy_reg", "_reconstructor"),
    ("builtins", "range"), ("builtins", "type"),
  ])
  func namesOfProtocol2AreHarmless(module: String, name: String) throws {
    let global = Pickle.global(module, name)
    for value in [global, Pickle.call(global, [Pickle.integer(1)]), global + [0x29, 0x81]] {
      let pickle = Pickle.dictionary([("note", value), ("w", TorchSamples.plain)])
      #expect(try open(pickle: pickle).names == ["w"])
    }
  }
}
