/// The classes and functions that a pickle may name. None is ever run: those that make tensors are
/// understood, a few others are known to do no harm and stand for a value without content, and
/// everything else is refused.
enum TorchGlobal {
  /// `torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`.
  case rebuildTensor
  /// `_rebuild_tensor_v3`: the same, and the element type of a storage that has none.
  case rebuildTypedTensor
  /// `_rebuild_parameter(tensor, requires_grad, hooks)`.
  case rebuildParameter
  /// `_rebuild_parameter_with_state(tensor, requires_grad, hooks, state)`.
  case rebuildParameterWithState
  /// `torch._tensor._rebuild_from_type_v2(function, type, arguments, state)`.
  case rebuildFromType
  case storageClass(TorchElementType)
  case untypedStorageClass
  case elementType(TorchElementType)
  /// `OrderedDict` or `defaultdict`.
  case dictionaryClass
  /// `torch.Size`, a tuple.
  case sizeClass
  /// Something that public checkpoints carry beside their weights.
  case inert

  /// Nil for what is refused.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTypedTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch._utils", "_rebuild_parameter_with_state"): self = .rebuildParameterWithState
    case ("torch._tensor", "_rebuild_from_type_v2"): self = .rebuildFromType
    case ("torch.storage", "UntypedStorage"), ("torch", "UntypedStorage"):
      self = .untypedStorageClass
    case ("collections", "OrderedDict"), ("collections", "defaultdict"): self = .dictionaryClass
    case ("torch", "Size"): self = .sizeClass
    case ("torch", _):
      if let type = TorchElementType(storageClass: name) {
        self = .storageClass(type)
      } else if let type = TorchElementType(rawValue: name) {
        self = .elementType(type)
      } else {
        fallthrough
      }
    default:
      guard Self.isHarmless(module: module, name: name) else { return nil }
      self = .inert
    }
  }

  /// Libraries whose values are options, dates, paths and numbers of a training run.
  private static let harmlessPackages: Set<String> = [
    "UserDict", "UserList", "UserString", "argparse", "collections", "datetime", "decimal",
    "easydict", "ml_collections", "numpy", "omegaconf", "pathlib", "typing", "uuid", "yacs",
  ]

  private static let harmlessNames: Set<String> = [
    "_codecs.encode", "copyreg._reconstructor", "copy_reg._reconstructor", "types.SimpleNamespace",
    "torch.Tensor", "torch.nn.parameter.Parameter", "torch.device", "torch.strided",
    "torch.torch_version.TorchVersion",
  ]

  /// Also as Python 2 calls them, because protocol 2 writes those names. `type` is there for the
  /// classes of `None` and `...`.
  private static let harmlessBuiltins: Set<String> = [
    "Ellipsis", "NotImplemented", "bool", "bytearray", "bytes", "complex", "dict", "float",
    "frozenset", "int", "list", "long", "object", "range", "set", "slice", "str", "tuple", "type",
    "unicode", "xrange",
  ]

  /// What a function makes that is harmless but not read, in the plural, and how to do without it.
  static func unread(module: String, name: String) -> (kind: String, remedy: String)? {
    switch (module, name) {
    case ("torch._utils", "_rebuild_sparse_tensor"), ("torch._utils", "_rebuild_sparse_csr_tensor"):
      ("sparse tensors", "save them by tensor.to_dense()")
    case ("torch._utils", "_rebuild_qtensor"):
      ("quantised tensors", "save them by tensor.dequantize()")
    default: nil
    }
  }

  private static func isHarmless(module: String, name: String) -> Bool {
    if module == "builtins" || module == "__builtin__" { return harmlessBuiltins.contains(name) }
    let package = module.prefix { $0 != "." }
    return harmlessPackages.contains(String(package)) || harmlessNames.contains("\(module).\(name)")
  }
}
