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
    (#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1, "F8_E4M3"),
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
