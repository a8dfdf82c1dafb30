import Autograd
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import LanguageModels

/// Damaged settings of language models end in a model that works, or in an error of our own. What a
/// configuration asks for costs nothing before the weights have been held against it.
@Suite struct LanguageModelFuzzTests {
  @Test(arguments: LanguageModelGolden.all)
  func configuration(_ golden: LanguageModelGolden) throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      at: folder.url.appendingPathComponent("model.safetensors"),
      withDestinationURL: golden.folder.appendingPathComponent("model.safetensors"))
    let samples = try ["config.json", "config.v4.json"].compactMap { name in
      let file = golden.folder.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: file.path) ? try FuzzRun.Sample(file) : nil
    }
    let run = FuzzRun(reader: "language-model-\(golden)", samples: samples) {
      $0 is ModelConfigurationError || $0 is WeightFileError
    }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      try folder.replace("config.json", with: bytes)
      let model = try LanguageModelFamily.model(at: folder.url)
      let input = model.embeddings(ofTexts: [[0, 1], [2]])
      #expect(model.loss(of: [[1], [0, 1]], after: input).value.count == 1)
      let session = model.decodingSession(after: input)
      _ = try session.start()
      #expect(session.advance([0, 1], from: [1, 0]).width == model.vocabularySize)
    }
    #expect(report.problems == [])
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > 0 && report.refused > count / 10, "\(report)")
  }
}
