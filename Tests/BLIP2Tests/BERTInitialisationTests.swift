import Autograd
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import BLIP2

/// Stage 1 starts from BERT: whichever names the file has, and what the file lacks stays new.
@Suite struct BERTInitialisationTests {
  static let folders = Goldens.folders(beginning: "bert", with: "model.safetensors")

  @Test func goldensArePresent() {
    #expect(Self.folders.count >= 2, "no bert*/model.safetensors in \(Goldens.folder.path)")
  }

  /// The golden's numbers without the `bert.` in front of the names.
  private func bareFolder() throws -> TemporaryFolder {
    let stored = try SafetensorsFile(BERTGolden.folder.appendingPathComponent("model.safetensors"))
    var tensors: [String: WrittenTensor] = [:]
    for name in stored.names {
      let tensor = try stored.tensor(named: name)
      tensors[name.hasPrefix("bert.") ? String(name.dropFirst(5)) : name] = .init(
        shape: tensor.shape, values: try tensor.floats())
    }
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      tensors, to: folder.url.appendingPathComponent("model.safetensors"))
    return folder
  }

  private func model(
    from url: URL, _ change: (inout StageOneConfiguration) -> Void = { _ in }
  ) throws -> (model: StageOneModel, report: LoadReport) {
    let model = try BERTGolden.model(change)
    return (model, try model.initialise(fromBERT: WeightFolder(url)))
  }

  @Test(arguments: folders)
  func allNamesGiveTheSame(_ folder: URL) throws {
    let bare = try bareFolder()
    let expected = try model(from: BERTGolden.folder).model
    for url in [folder, bare.url] {
      let other = try model(from: url).model
      for (a, b) in zip(expected.namedParameters, other.namedParameters) {
        #expect(a.parameter.value.values == b.parameter.value.values, "\(a.name)")
      }
    }
  }

  @Test func valuesAreTheFiles() throws {
    let (model, _) = try model(from: BERTGolden.folder)
    let stored = try SafetensorsFile(BERTGolden.folder.appendingPathComponent("model.safetensors"))
    let parameters = Dictionary(
      uniqueKeysWithValues: model.namedParameters.map { ($0.name, $0.parameter.value) })
    let whole = [
      ("qFormer.positionEmbeddings", "bert.embeddings.position_embeddings.weight"),
      ("qFormer.embeddingNorm.weight", "bert.embeddings.LayerNorm.weight"),
      ("languageHead.transform.weight", "cls.predictions.transform.dense.weight"),
    ]
    let ofLayers = (0..<model.configuration.qFormer.layers).flatMap { layer in
      [
        ("selfAttention.key.weight", "attention.self.key.weight"),
        ("selfAttention.norm.bias", "attention.output.LayerNorm.bias"),
        ("textFeedForward.inner.weight", "intermediate.dense.weight"),
        ("textFeedForward.norm.weight", "output.LayerNorm.weight"),
      ].map { ("qFormer.layers.\(layer).\($0)", "bert.encoder.layer.\(layer).\($1)") }
    }
    for (ours, theirs) in whole + ofLayers {
      let found = try #require(parameters[ours], "\(ours)")
      #expect(found.values == (try stored.tensor(named: theirs).floats()), "\(ours)")
    }
  }

  @Test(arguments: folders)
  func queryFeedForwardsAreCopies(_ folder: URL) throws {
    let (model, _) = try model(from: folder)
    for layer in model.qFormer.layers.elements {
      let pairs = zip(
        layer.queryFeedForward.namedParameters, layer.textFeedForward.namedParameters)
      for (mine, theirs) in pairs {
        #expect(mine.parameter.value.values == theirs.parameter.value.values, "\(mine.name)")
      }
      // Copies, not the same numbers: they are trained apart.
      let weight = layer.queryFeedForward.sublayer.maps.inner.weight
      let before = layer.textFeedForward.sublayer.maps.inner.weight.value.values
      weight.update { $0[0] += 1 }
      #expect(layer.textFeedForward.sublayer.maps.inner.weight.value.values == before)
    }
  }

  /// `[DEC]`'s row and its bias keep what they started with; the rows before are BERT's.
  @Test(arguments: folders)
  func theDecoderTokenStaysNew(_ folder: URL) throws {
    let fresh = try BERTGolden.model()
    let (model, _) = try model(from: folder)
    let words = model.qFormer.wordEmbeddings.value
    let start = fresh.qFormer.wordEmbeddings.value
    let stored = try BERTGolden.stored("bert.embeddings.word_embeddings.weight")
    #expect(words.shape == [stored.shape[0] + 1, stored.shape[1]])
    #expect(words.rows(0..<stored.shape[0]).values == stored.values)
    let last = stored.shape[0]..<stored.shape[0] + 1
    #expect(words.rows(last).values == start.rows(last).values)
    #expect(words.rows(last).values.contains { $0 != 0 })
    let bias = model.languageHead.bias.value.values
    #expect(Array(bias.dropLast()) == (try BERTGolden.stored("cls.predictions.bias")).values)
    #expect(bias.last == 0)
  }

  /// Without stage 1, the part of the Q-Former that stage 2 trains begins with the same numbers.
  @Test(arguments: folders)
  func stageTwoBeginsWithTheSame(_ folder: URL) throws {
    let (stageOne, _) = try model(from: folder)
    var configuration = StageTwoConfiguration()
    configuration.qFormer = stageOne.configuration.qFormer
    let fresh = StageTwoModel(configuration, visionWidth: 16, embeddingWidth: 7, seed: 12)
    let before = fresh.qFormer.queryTokens.value.values
    let report = try fresh.initialise(fromBERT: WeightFolder(folder))
    let expected = Dictionary(
      uniqueKeysWithValues: stageOne.namedParameters.map { ($0.name, $0.parameter.value.values) })
    var compared = 0
    for entry in fresh.namedParameters {
      let isNew =
        entry.name == "qFormer.queryTokens" || entry.name.contains(".crossAttention.")
        || entry.name.hasPrefix("visionNorm.") || entry.name.hasPrefix("languageProjection.")
      #expect(report.missing.contains(entry.name) == isNew, "\(entry.name)")
      if isNew { continue }
      #expect(entry.parameter.value.values == expected[entry.name], "\(entry.name)")
      compared += 1
    }
    #expect(compared > 0)
    #expect(fresh.qFormer.queryTokens.value.values == before)
  }

  @Test func theReportListsWhatIsMissingAndUnused() throws {
    let (model, report) = try model(from: BERTGolden.folder)
    #expect(report.unused == ["bert.embeddings.token_type_embeddings.weight"])
    let expected = model.namedParameters.map(\.name).filter { name in
      name == "qFormer.queryTokens" || name.contains(".crossAttention.")
        || ["visionNorm", "visionProjection", "textProjection", "matchingHead", "temperature"]
          .contains { name.hasPrefix($0) }
    }
    #expect(Set(report.missing) == Set(expected) && report.missing.count == expected.count)
    let (_, other) = try self.model(
      from: Goldens.folder.appendingPathComponent("bert-public-names"))
    #expect(
      other.unused == [
        "bert.embeddings.token_type_embeddings.weight", "bert.pooler.dense.bias",
        "bert.pooler.dense.weight", "cls.seq_relationship.bias", "cls.seq_relationship.weight",
      ])
  }

  /// A file without a language head, as plain BERT encoders are stored.
  @Test func aMissingLanguageHeadStaysNew() throws {
    let stored = try SafetensorsFile(BERTGolden.folder.appendingPathComponent("model.safetensors"))
    var tensors: [String: WrittenTensor] = [:]
    for name in stored.names where name.hasPrefix("bert.") {
      let tensor = try stored.tensor(named: name)
      tensors[name] = .init(shape: tensor.shape, values: try tensor.floats())
    }
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("model.safetensors")
    try SafetensorsWriter.write(tensors, to: file)
    let (model, report) = try model(from: folder.url)
    #expect(report.missing.filter { $0.hasPrefix("languageHead.") }.count == 5)
    #expect(model.languageHead.bias.value.values.allSatisfy { $0 == 0 })
    // Anything else that is missing is an error.
    let name = "bert.encoder.layer.1.attention.self.query.bias"
    tensors[name] = nil
    try SafetensorsWriter.write(tensors, to: file)
    #expect(throws: WeightFileError.missingTensor(file: folder.url.path, tensor: name)) {
      _ = try self.model(from: folder.url)
    }
  }

  @Test func anotherWidthIsRefusedWithBothShapes() throws {
    let sizes = try BERTGolden.sizes()
    let other = 2 * sizes.hiddenSize
    do {
      _ = try model(from: BERTGolden.folder) { $0.qFormer.width = other }
      Issue.record("a width of \(other) was taken for one of \(sizes.hiddenSize)")
    } catch let error as WeightFileError {
      guard case .wrongShape(let file, let tensor, let expected, let found) = error else {
        throw error
      }
      #expect(tensor == "bert.embeddings.word_embeddings.weight")
      #expect(expected == [sizes.vocabSize + 1, other])
      #expect(found == [sizes.vocabSize, sizes.hiddenSize])
      #expect(file.hasSuffix("model.safetensors"))
      for shape in [expected, found] { #expect(error.description.contains("\(shape)")) }
    }
  }

  /// Fewer words in the model than in the file would lose some.
  @Test func aSmallerVocabularyIsRefused() throws {
    #expect(throws: WeightFileError.self) {
      _ = try model(from: BERTGolden.folder) { $0.qFormer.vocabularySize /= 2 }
    }
  }
}
