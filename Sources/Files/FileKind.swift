/// What a file is by its first bytes: asked wherever a reader refuses a beginning that it does not know, so
/// that a message names the kind and the way out instead of a byte.
public struct FileKind: Equatable, Sendable, CustomStringConvertible {
  /// With its article, as in "a GIF image".
  public let name: String
  /// What to do, as in "convert it to JPEG, PNG or WebP".
  public let advice: String
  /// Whether people may write such a text on purpose, as a caption of "404 Not Found".
  public let isPlainText: Bool

  public var description: String { "\(name); \(advice)" }

  /// How many bytes are looked at.
  public static let lookedAt = 4096

  private init(_ name: String, _ advice: String, isPlainText: Bool = false) {
    (self.name, self.advice, self.isPlainText) = (name, advice, isPlainText)
  }

  /// Nil for kinds that are not known here.
  public init?(_ file: some Collection<UInt8>) {
    let bytes = Array(file.prefix(Self.lookedAt))
    let isWhole = file.count <= 1024
    guard
      let kind = Self.empty(bytes) ?? Self.signatures.first(where: { $0.fits(bytes) })?.kind
        ?? Self.container(bytes) ?? Self.wideText(bytes) ?? Self.text(bytes, isWhole: isWhole)
    else { return nil }
    self = kind
  }

  /// What follows a file's name in a message, known or not: "is a GIF image; convert it …".
  public static func words(_ bytes: some Collection<UInt8>) -> String {
    if let kind = FileKind(bytes) { return "is \(kind)" }
    let beginning = bytes.prefix(24)
    if beginning.allSatisfy({ (0x20..<0x7F).contains($0) || (0x09...0x0D).contains($0) }) {
      let line = beginning.split { $0 < 0x20 }.first ?? []
      return "is a text that begins with \"\(String(decoding: line, as: UTF8.self))\""
    }
    let digits = beginning.prefix(8).map { [$0].hexadecimal }
    return "begins with the bytes \(digits.joined(separator: " "))"
  }

  /// Why a file could not be read: its kind where that is known, or else what its reader found.
  public static func words(_ bytes: some Collection<UInt8>, orElse problem: String) -> String {
    FileKind(bytes).map { "the file is \($0)" } ?? problem
  }

  /// What a file at a path is; nil where it cannot be read or its kind is not known.
  public static func ofFile(_ path: String) -> FileKind? {
    (try? OpenFile(reading: path).bytes(at: 0, count: lookedAt)).flatMap { FileKind($0) }
  }
}

// MARK: Kinds that fixed bytes tell

extension FileKind {
  private struct Signature {
    let offset: Int
    let bytes: [UInt8]
    let kind: FileKind

    func fits(_ file: [UInt8]) -> Bool {
      guard file.dropFirst(offset).starts(with: bytes) else { return false }
      // A text may begin with four such letters.
      return bytes.count > 4 || !bytes.allSatisfy { (0x20..<0x7F).contains($0) }
        || file.prefix(64).contains { $0 < 0x09 || $0 >= 0x80 }
    }
  }

  private static func of(
    _ name: String, _ advice: String, _ marks: [UInt8]..., at offset: Int = 0
  ) -> [Signature] {
    marks.map { Signature(offset: offset, bytes: $0, kind: FileKind(name, advice)) }
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static let convert = "convert it to JPEG, PNG or WebP"
  private static let toList = "write it as JSON lines or CSV"
  private static let toWeights = "save the weights as safetensors"
  private static let toUTF8 = "save it as UTF-8"
  private static let fetch =
    "the download went wrong: fetch the file again, logged in where the server asks for it"

  private static let compressed = [
    of("compressed (gzip)", "unpack it by \"gunzip\"", [0x1F, 0x8B]),
    of("compressed (bzip2)", "unpack it by \"bunzip2\"", [0x42, 0x5A, 0x68]),
    of("compressed (xz)", "unpack it by \"unxz\"", [0xFD, 0x37, 0x7A, 0x58, 0x5A]),
    of("compressed (zstd)", "unpack it by \"unzstd\"", [0x28, 0xB5, 0x2F, 0xFD]),
    of("compressed (LZ4)", "unpack it by \"unlz4\"", [0x04, 0x22, 0x4D, 0x18]),
  ].flatMap { $0 }

  /// Whether a file is compressed as a whole.
  public var isCompressed: Bool { Self.compressed.contains { $0.kind == self } }

  /// Whether a file is a model's weights, in a format that is read or that its reader refuses by name.
  public var isWeights: Bool { Self.weights.contains(name) }

  private static let (safetensors, torchSave) = ("a safetensors file", "a file of torch.save")
  private static let (torchScript, barePickle) = ("a TorchScript program", "a bare pickle")
  private static let oldTorch = "in torch's format from before version 1.6"
  private static let gguf = "a GGUF model"
  private static let weights: Set = [
    safetensors, torchSave, torchScript, barePickle, oldTorch, gguf,
  ]

  private static let signatures = [
    of(
      "a Git LFS pointer, not the file that it stands for", "fetch that by \"git lfs pull\"",
      text("version https://git-lfs")),
    compressed,
    of("a 7-Zip archive", "unpack it by \"7z x\"", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
    of("a RAR archive", "unpack it by \"unrar x\"", text("Rar!\u{1A}\u{7}")),
    of("a tar file", "unpack it, or name a shard of pairs .tar", text("ustar"), at: 257),
    of("a checkpoint of blip2-train", "name it as a checkpoint", text("BLIP2CHECKPOINT")),
    of("an HDF5 file", toWeights, [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]),
    of("a Parquet table", toList, text("PAR1")),
    of("an Arrow table", toList, text("ARROW1"), text("FEA1"), [0xFF, 0xFF, 0xFF, 0xFF]),
    of("an SQLite database", toList, text("SQLite format 3\0")),
    of("a NumPy array", "write what is wanted from it by numpy", [0x93] + text("NUMPY")),
    of("a GIF image", convert, text("GIF87a"), text("GIF89a")),
    of("a TIFF image", convert, text("II*\0"), text("MM\0*"), text("II+\0"), text("MM\0+")),
    of("a JPEG image", "name it in a list, or put it beside its text", [0xFF, 0xD8, 0xFF]),
    of("a PNG image", "name it in a list, or put it beside its text", [0x89] + text("PNG\r\n")),
    of("a WebP image", "name it in a list, or put it beside its text", text("WEBP"), at: 8),
    of(
      "a JPEG 2000 image", convert, [0, 0, 0, 12] + text("jP  "), [0xFF, 0x4F, 0xFF, 0x51]),
    of("a JPEG XL image", convert, [0, 0, 0, 12] + text("JXL "), [0xFF, 0x0A]),
    of("a Photoshop image", convert, text("8BPS")),
    of("an icon", convert, [0, 0, 1, 0]),
    of("an OpenEXR image", convert, [0x76, 0x2F, 0x31, 0x01]),
    of("a DICOM image", convert, text("DICM"), at: 128),
    of("a PDF document", "take the text or the images out of it", text("%PDF-")),
    of("a PostScript document", "take the text or the images out of it", text("%!PS")),
    of("a video", "take single frames out of it", [0x1A, 0x45, 0xDF, 0xA3]),
    of("a sound or a video", "take single frames out of it", text("RIFF")),
    of(gguf, "name it where a language model is wanted", text("GGUF")),
    of(
      "a model in GGML's old format", "fetch it as GGUF", text("ggml"), text("lmgg"), text("tjgg"),
      text("fmgg"), text("ggjt")),
  ].flatMap { $0 }

  private static func empty(_ bytes: [UInt8]) -> FileKind? {
    bytes.isEmpty ? FileKind("empty", "fetch or write it again") : nil
  }
}

// MARK: Kinds that take a closer look

extension FileKind {
  private static func container(_ bytes: [UInt8]) -> FileKind? {
    func contains(_ word: String) -> Bool {
      let word = text(word)
      return bytes.indices.contains { bytes[$0] == word[0] && bytes[$0...].starts(with: word) }
    }
    if bytes.starts(with: text("PK\u{3}\u{4}")) || bytes.starts(with: text("PK\u{5}\u{6}")) {
      if contains("constants.pkl") {
        return FileKind(torchScript, "save its state_dict() by torch.save")
      }
      if contains("data.pkl") { return FileKind(torchSave, toWeights) }
      if contains(".npy") { return FileKind("a NumPy archive", toWeights) }
      if contains("model.weights.h5") { return FileKind("a Keras model", toWeights) }
      return FileKind("a zip archive", "unpack it by \"unzip\"")
    }
    if bytes.count > 12, bytes[4..<8].elementsEqual(text("ftyp")) {
      let brands = bytes[8..<min(bytes.count, 64)]
      func has(_ names: String...) -> Bool {
        names.contains { name in
          stride(from: 8, to: brands.endIndex - 3, by: 4)
            .contains { brands[$0..<($0 + 4)].elementsEqual(text(name)) }
        }
      }
      if has("avif", "avis") { return FileKind("an AVIF image", convert) }
      if has("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1") {
        return FileKind("a HEIC image", convert)
      }
      return FileKind("a video", "take single frames out of it")
    }
    // The size of the file, then four bytes of zero.
    if bytes.count > 14, bytes.starts(with: text("BM")), bytes[6..<10].allSatisfy({ $0 == 0 }) {
      return FileKind("a BMP image", convert)
    }
    if bytes.count > 9, bytes[8] == UInt8(ascii: "{"), bytes[4..<8].allSatisfy({ $0 == 0 }) {
      return FileKind(safetensors, "name it where weights are wanted")
    }
    return serialised(bytes)
  }

  /// Objects and models that programs write out.
  private static func serialised(_ bytes: [UInt8]) -> FileKind? {
    guard bytes.count > 4 else { return nil }
    // 0x1950a86a20f9469cfc6c, the number with which torch's format before 1.6 begins.
    let torch: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let start = bytes.prefix(64)
    if start.indices.contains(where: { start[$0...].starts(with: torch) }) {
      return FileKind(
        oldTorch,
        "load it with a current torch and save its state_dict() by torch.save or as safetensors")
    }
    let isMap = bytes[0] & 0xF0 == 0x80 && bytes[1] & 0xE0 == 0xA0 || bytes[0] == 0xDE
    if bytes[0] == 0x80, (2...5).contains(bytes[1]) {
      return FileKind(barePickle, toWeights)
    }
    if isMap { return FileKind("a MessagePack file, as Flax writes them", toWeights) }
    guard bytes[0] == 8, bytes[2] == 0x12 || bytes[2] == 0x3A else { return nil }
    if bytes[1] == 1 { return FileKind("a SavedModel of TensorFlow", toWeights) }
    return bytes[1] < 32 ? FileKind("an ONNX model", toWeights) : nil
  }

  private static func wideText(_ bytes: [UInt8]) -> FileKind? {
    let start = bytes.prefix(64)
    func isZero(_ remainder: Int) -> Bool {
      start.indices.allSatisfy { ($0 % 2 == remainder) == (start[$0] == 0) }
    }
    if start.starts(with: [0xFF, 0xFE, 0, 0]) || start.starts(with: [0, 0, 0xFE, 0xFF]) {
      return FileKind("text in UTF-32", toUTF8)
    }
    if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF])
      || start.count > 7 && (isZero(1) || isZero(0))
    {
      return FileKind("text in UTF-16", toUTF8)
    }
    return nil
  }

  /// - Parameter isWhole: Whether there is no more of the file than what is looked at, and little.
  private static func text(_ bytes: [UInt8], isWhole: Bool) -> FileKind? {
    let text = String(decoding: bytes, as: UTF8.self).lowercased()
      .drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    func begins(_ words: String...) -> Bool { words.contains { text.hasPrefix($0) } }
    if begins("<svg") || begins("<?xml", "<!--", "<!doctype svg") && text.contains("<svg") {
      return FileKind("an SVG drawing", convert)
    }
    if begins("<!doctype html", "<html", "<head", "<body", "<title") {
      return FileKind("an HTML page", fetch)
    }
    if begins("<error") || begins("<?xml") && text.contains("<error") {
      return FileKind("a server's error message", fetch)
    }
    if begins("<?xml") { return FileKind("an XML document", toList) }
    if begins("{'", "[{'", "[ {'") {
      return FileKind("a dict as Python prints it", "write it by json.dumps", isPlainText: true)
    }
    let errors = [
      "entry not found", "access denied", "access to ", "not found", "404", "403", "401", "429",
      "forbidden", "unauthorized", "invalid username", "invalid credentials",
      "repository not found",
      "too many requests", "internal server error", "bad gateway", "service unavailable",
      "rate limit",
    ]
    if isWhole, text.utf8.count < 400, errors.contains(where: text.hasPrefix) {
      return FileKind("a server's error message", fetch, isPlainText: true)
    }
    return nil
  }
}
