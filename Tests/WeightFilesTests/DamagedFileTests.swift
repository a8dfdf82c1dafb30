import Files
import Foundation
import Testing

@testable import WeightFiles

@Suite struct DamagedFileTests {
  private func error(opening data: Data) throws -> WeightFileError? {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try data.write(to: url)
      let error = #expect(throws: WeightFileError.self) { try WeightFolder(folder) }
      #expect(error?.description.contains(folder.lastPathComponent) == true)
      return error
    }
  }

  /// Header, number of data bytes, and what the message must mention.
  static let damagedHeaders: [(String, Int, String)] = [
    ("[]", 0, "begins with {"),
    ("{}", 1, "0 bytes of tensors, found 1"),
    ("{", 0, "at least 8"),
    ("{\"a\":1}", 0, "a JSON object"),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "data_offsets"),
    (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "a JSON object"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "8 bytes for F32 [2], found 4"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "countable"),
    (#"{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#, 4, "countable"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "ascending"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4, "ascending"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#, 4, "ascending"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "two"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}"#, 4, "ascending"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e400]}}"#, 4, "a JSON object"),
    (
      #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0,
      "countable"
    ),
    (#"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#, 0, "countable"),
    (
      #"{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}"#, 1,
      "at most 8 dimensions, found 9"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
      6, "begin at 4, found 2"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
      3, "begin at 1, found 2"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
      1, "occurs twice"
    ),
    (#"{"__metadata__":{"a":1}}"#, 0, "__metadata__"),
    ("{\"a\u{0}\":1}", 0, "zero byte"),
    ("{\"a\":\(String(repeating: "[", count: 200_000))", 0, "4 levels"),
    ("{\"a\":\(String(repeating: "{\"a\":", count: 200_000))", 0, "4 levels"),
  ]

  @Test(arguments: damagedHeaders.indices)
  func damagedHeaderIsRefused(index: Int) throws {
    let (header, dataCount, mention) = Self.damagedHeaders[index]
    let data = [UInt8](repeating: 0, count: dataCount)
    // A header too short to be one stands for a file that ends within the length.
    let file = header == "{" ? Data([1, 2, 3]) : safetensors(header, data: data)
    let description = try error(opening: file)?.description ?? ""
    #expect(description.contains(mention), "\(description)")
  }

  /// A tensor of a type that is not read keeps nothing from being read but itself.
  @Test(arguments: ["F8_E4M3", "U16", "U32", "F4"])
  func otherElementTypesHarmWhoReadsThem(type: String) throws {
    try withTemporaryFolder { folder in
      let header =
        #"{"a":{"dtype":"\#(type)","shape":[1],"data_offsets":[0,1]},"#
        + #""b":{"dtype":"U8","shape":[1],"data_offsets":[1,2],"note":NaN}}"#
      try safetensors(header, data: [3, 7])
        .write(to: folder.appendingPathComponent("model.safetensors"))
      let weights = try WeightFolder(folder)
      #expect(weights.names == ["a", "b"])
      #expect(try weights.shape(of: "a") == [1])
      #expect(try weights.tensor(named: "b").bytes.first == 7)
      let error = #expect(throws: WeightFileError.self) { try weights.tensor(named: "a") }
      #expect(error?.description.contains(type) == true)
    }
  }

  /// Files of other kinds are named, whatever they are called.
  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ("<!DOCTYPE html><html></html>", "HTML"), ("Entry not found", "error message"),
    ("hello, this is a text", "begins with \"hello"),
  ])
  func otherKindsAreNamed(text: String, words: String) throws {
    try withTemporaryFolder { folder in
      for name in ["model.safetensors", "pytorch_model.bin", "a.gguf", "config.json"] {
        let url = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: url)
        let error = #expect(throws: (any Error).self) {
          if name == "config.json" {
            _ = try ModelConfigurationFile(url)
          } else {
            _ = try WeightFolder(url)
          }
        }
        let description = (error as? any LocalizedError)?.errorDescription ?? ""
        #expect(
          description.contains(words) || name == "config.json" && words.contains("hello"),
          "\(name): \(description)")
      }
    }
  }

  /// What Python writes beyond JSON harms only who reads it.
  @Test func configurationsWithOddValues() throws {
    struct Sound: Decodable { let a: Int }
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("config.json")
      let text = #"{"a": 1, "b": NaN, "c": "\ud800", "d": 1, "d": 2, "e": {"f": Infinity}}"#
      try Data(([0xEF, 0xBB, 0xBF] as [UInt8]) + Array(text.utf8)).write(to: url)
      #expect(try ModelConfigurationFile(url).decoded(Sound.self).a == 1)
      for (key, words) in [
        ("b", "found NaN"), ("c", "half of a surrogate pair"), ("d", "given twice"),
      ] {
        let error = #expect(throws: ModelConfigurationError.self) {
          switch key {
          case "b": _ = try ModelConfigurationFile(url).decoded(OnlyB.self)
          case "c": _ = try ModelConfigurationFile(url).decoded(OnlyC.self)
          default: _ = try ModelConfigurationFile(url).decoded(OnlyD.self)
          }
        }
        #expect(
          error?.description.contains("\(key): ") == true
            && error?.description.contains(words) == true, "\(String(describing: error))")
      }
    }
  }

  private struct OnlyB: Decodable { let b: Double? }
  private struct OnlyC: Decodable { let c: String? }
  private struct OnlyD: Decodable { let d: Int? }

  @Test(arguments: [0, 1, 3, 100_000_001, UInt64(1) << 40, UInt64.max])
  func wrongHeaderLengthIsRefused(length: UInt64) throws {
    _ = try error(opening: safetensors("{}", length: length))
  }

  @Test func headerThatIsNotUTF8IsRefused() throws {
    var file = safetensors("{\"ab\":1}")
    file[10] = 0xFF
    let description = try error(opening: file)?.description
    #expect(description?.contains("UTF-8") == true)
  }

  @Test func missingEmptyAndIrregularFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      let missing = folder.appendingPathComponent("missing")
      #expect(
        throws: ReadFailure(missing.path, .system(SystemError(ENOENT)))
      ) { try WeightFolder(missing) }
      #expect(throws: ReadFailure(folder.path, .notRegular)) {
        try MappedFile(folder.path)
      }
      let empty = folder.appendingPathComponent("empty")
      try Data().write(to: empty)
      #expect(throws: ReadFailure(empty.path, .empty)) { try WeightFolder(empty) }
      let pipe = folder.appendingPathComponent("pipe")
      #expect(mkfifo(pipe.path, 0o600) == 0)
      #expect(throws: ReadFailure(pipe.path, .notRegular)) { try WeightFolder(pipe) }
      let error = #expect(throws: WeightFileError.self) { try WeightFolder(folder) }
      #expect(error?.description.contains("model.safetensors.index.json") == true)
    }
  }
}
