import Files

/// The entries of a zip file of `torch.save`: `NAME/data.pkl`, `NAME/data/KEY` for each storage,
/// and some small notes (https://github.com/pytorch/pytorch/blob/main/torch/serialization.py).
struct TorchArchive {
  /// What names the tensors.
  let pickle: UnsafeRawBufferPointer
  /// Where the bytes of each storage lie in the file, by key.
  let storages: [String: Range<Int>]

  init(_ bytes: UnsafeRawBufferPointer) throws {
    guard Self.isZip(bytes) else {
      throw unsupported(
        "neither a zip file of torch.save nor safetensors: it \(FileKind.words(bytes))",
        remedy: Self.remedy)
    }
    let directory = try ZipDirectory(bytes)
    let pickles = directory.entries.keys.filter { name in
      name.hasSuffix("/data.pkl") && name.count { $0 == "/" } == 1
    }
    guard let pickleName = pickles.first, pickles.count == 1,
      let pickle = directory.entries[pickleName]
    else {
      throw unsupported(
        "a zip file without the one data.pkl of torch.save"
          + (FileKind(bytes).map { ": \($0.name)" } ?? ""), remedy: Self.remedy)
    }
    let root = pickleName.dropLast("data.pkl".count)
    guard directory.entries["\(root)constants.pkl"] == nil else {
      throw unsupported(
        "a TorchScript program",
        remedy: "load it with torch.jit.load and save its state_dict() with torch.save or as "
          + "safetensors")
    }
    try directory.requireStored()
    if let order = directory.entries["\(root)byteorder"] {
      guard bytes[order.byteRange].elementsEqual("little".utf8) else {
        throw unsupported(
          "numbers that are not stored in little-endian order",
          remedy: "save it again on another machine")
      }
    }
    self.pickle = UnsafeRawBufferPointer(rebasing: bytes[pickle.byteRange])
    let prefix = "\(root)data/"
    storages = directory.entries.reduce(into: [:]) { storages, entry in
      guard entry.key.hasPrefix(prefix) else { return }
      storages[String(entry.key.dropFirst(prefix.count))] = entry.value.byteRange
    }
  }

  static func isZip(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06])
  }

  private static let remedy =
    "load it with a current torch and save its state_dict() with torch.save, or as safetensors"
}
