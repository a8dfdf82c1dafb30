import TestSupport
import Testing

/// The benchmarks that train nothing, and the options of all.
struct BenchTests {
  @Test(arguments: ["fp32", "bf16", "int8"])
  func visionEndsWithItsLine(_ precision: String) throws {
    let result = try BuiltTool.run([
      "bench", "vision", "--model", "dinov2-s", "--batch", "1", "--steps", "1", "--precision",
      precision,
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("features 1 x 257 x 384"))
    let last = try #require(result.output.split(separator: "\n").last)
    let pattern = #/median [\d.]+ s/step, [\d.]+ images/s, peak [\d.]+ GiB/#
    #expect(last.wholeMatch(of: pattern) != nil, "\(last)")
  }

  @Test func imagesEndWithTheirLine() throws {
    let result = try BuiltTool.run(["bench", "images", "--count", "2"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("crop and resize"))
    let last = try #require(result.output.split(separator: "\n").last)
    let found = try #require(
      last.wholeMatch(of: #/best ([\d.]+) images/s on one core, mean file ([\d.]+) KiB/#), "\(last)"
    )
    #expect(try #require(Double(found.1)) > 0)
    #expect((50...150).contains(try #require(Double(found.2))))
  }

  /// A step with fewer feature vectors of an image ends with the same line.
  @Test func imageTokensAreTaken() throws {
    let result = try BuiltTool.run([
      "bench", "stage1", "--small", "--batch", "2", "--steps", "1", "--image-tokens", "5",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("samples/s"))
  }

  /// The peak of the memory of stage-1 steps, in GiB.
  private func peak(_ options: [String]) throws -> Double {
    let result = try BuiltTool.run(
      ["bench", "stage1", "--small", "--image-tokens", "17", "--steps", "1"] + options)
    #expect(result.status == 0, "\(result.errors)")
    let found = try #require(result.output.firstMatch(of: #/peak ([\d.]+) GiB/#))
    return try #require(Double(found.1))
  }

  /// Beside what parameters and moments take, a batch of 32 by fours needs little more than one of
  /// four, and what is computed again takes no memory meanwhile.
  @Test func chunksAndRecomputationSaveMemory() throws {
    let whole = try peak(["--batch", "32"])
    let small = try peak(["--batch", "4"])
    for options in [["--chunk", "4"], ["--recompute"]] {
      let saving = try peak(["--batch", "32"] + options)
      #expect(
        saving - small < 0.4 * (whole - small), "\(options): \(whole), \(saving), \(small) GiB")
    }
  }

  @Test(arguments: ["stage1", "stage2", "generate", "vision", "images"])
  func eachExplainsItselfWithItsLastLine(_ kind: String) throws {
    let result = try BuiltTool.run(["bench", kind, "--help"])
    #expect(result.status == 0)
    #expect(result.output.contains("blip2-train bench \(kind) -"), "an example is missing")
    let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("last line is"))
    #expect(words.contains("--image-tokens <image-tokens> Feature") == kind.hasPrefix("stage"))
  }

  @Test(arguments: [
    (["stage1", "--image-tokens", "0"], "--image-tokens: expected 1 to 65536, found 0"),
    (["stage2", "--image-tokens", "65537"], "--image-tokens: expected 1 to 65536, found 65537"),
    (["stage1", "--batch", "1"], "--batch: expected 2 to 65536, found 1"),
    (["stage1", "--chunk", "17"], "--chunk: expected 1 to 16, found 17"),
    (["stage1", "--precision", "int8"], "--precision: expected fp32 or bf16, found int8"),
    (["generate", "--precision", "int8"], "--precision: expected fp32 or bf16, found int8"),
    (["stage2", "--steps", "0"], "--steps: expected 1 to 1000000, found 0"),
    (["generate", "--tokens", "1025"], "--tokens: expected 1 to 1024, found 1025"),
    (["vision", "--batch", "0"], "--batch: expected 1 to 4096, found 0"),
    (["vision", "--model", "vit-x"], "'--model <model>'"),
    (["images", "--count", "0"], "--count: expected 1 to 1000000, found 0"),
  ])
  func wrongNumbersAreRefused(_ arguments: [String], _ message: String) throws {
    let result = try BuiltTool.run(["bench"] + arguments)
    #expect(result.status == 64)
    #expect(result.errors.contains(message), "\(result.errors)")
  }
}
