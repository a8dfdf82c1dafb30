import Layers
import PublicFormats
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import BLIP2
@testable import LanguageModels
@testable import VisionEncoders

/// Every public format, both ways: names there and back, and parameters into a file and out of it.
@Suite struct PublicFormatTests {
  struct Case: CustomStringConvertible {
    let description: String
    let format: PublicFormat
    /// The parameters that the format holds, of a model that the seed makes.
    let parameters: (_ seed: UInt64) -> [NamedParameter]
  }

  static let cases: [Case] = {
    var cases = [
      Case(description: "LAVIS, stage 1", format: .lavis) { stageOne($0).namedParameters },
      Case(description: "BERT", format: .bert) {
        stageOne($0).namedParameters.filter { PublicFormat.bert.contains($0.name) }
      },
      Case(description: "LAVIS, stage 2", format: .lavisStageTwo(projection: "opt_proj")) {
        stageTwo($0).namedParameters
      },
      Case(description: "Hugging Face, stage 2", format: .huggingFaceStageTwo) {
        stageTwo($0).namedParameters
      },
      Case(description: "Hugging Face, retrieval", format: .huggingFaceRetrieval) {
        stageOne($0).namedParameters.filter {
          PublicFormat.huggingFaceRetrieval.contains($0.name)
        }
      },
    ]
    func add<M: PublicModel>(
      _ description: String, _ make: @escaping (ParameterInitialiser) -> M,
      _ format: (M) -> PublicFormat = { $0.publicFormat }
    ) {
      let format = format(make(ParameterInitialiser(seed: 0)))
      cases.append(
        Case(description: description, format: format) {
          make(ParameterInitialiser(seed: $0)).namedParameters
        })
    }
    add("EVA", eva)
    add("EVA's authors", eva) { $0.authorsFormat }
    add("CLIP") { CLIPViT(small(CLIPViTConfiguration()), $0) }
    add("DINOv2") { DINOv2(small(DINOv2Configuration()), $0) }
    add("OPT") { OPT(smallOPT, $0) }
    for isGated in [false, true] {
      add("T5, gated: \(isGated)") { T5(smallT5(isGated), hasOutputTable: isGated, $0) }
    }
    add("Llama") { Llama(smallLlama, $0) }
    add("Llama, GGUF", { Llama(smallLlama, $0) }, { _ in Llama.ggufFormat })
    return cases
  }()

  @Test(arguments: cases) func namesComeBack(_ format: Case) {
    for entry in format.parameters(1) {
      let tensors = format.format.tensors(of: [entry], precision: .float32)
      #expect(!tensors.isEmpty)
      for name in tensors.keys {
        #expect(format.format.name(ofPublic: name) == entry.name, "\(name)")
      }
    }
    #expect(format.format.name(ofPublic: "no.such.tensor") == nil)
  }

  @Test(arguments: cases) func filesComeBack(_ format: Case) throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("model.safetensors")
    let (first, second) = (format.parameters(1), format.parameters(2))
    // As training leaves it: no number is the one that it started from.
    for (index, entry) in first.enumerated() {
      entry.parameter.value = randomTensor(entry.parameter.shape, seed: UInt64(index))
    }
    let written = format.format.tensors(of: first, precision: .float32)
    try SafetensorsWriter.write(written, to: file)
    let report = try format.format.load(into: second, from: WeightFolder(file))
    #expect(report == LoadReport())
    let again = format.format.tensors(of: second, precision: .float32)
    #expect(again.mapValues(\.shape) == written.mapValues(\.shape))
    for (name, tensor) in written {
      #expect(try again[name]?.values == tensor.values, "\(name)")
    }
    // The authors' files have no bias of the keys.
    for (mine, other) in zip(first, second) where !mine.name.hasSuffix(".qkv.bias") {
      #expect(mine.parameter.value.values == other.parameter.value.values, "\(mine.name)")
    }
  }

  @Test func whatBelongsToNoParameterHasNoName() {
    let format = Self.eva(ParameterInitialiser(seed: 0)).authorsFormat
    for name in ["blocks.0.attn.k_bias", "blocks.x.norm1.weight", "blocks", "head.weight", ""] {
      #expect(format.name(ofPublic: name) == nil, "\(name)")
    }
  }

  @Test func aPrefixStandsInFrontOfAllNames() {
    var format = PublicFormat(["outer": "theirs"], spellings: [("theirs.", "")])
    format.prefix = "language_model."
    #expect(
      format.fileNames(of: "outer.weight") == [
        "language_model.theirs.weight", "language_model.weight",
      ])
    #expect(format.name(ofPublic: "language_model.theirs.weight") == "outer.weight")
    #expect(format.name(ofPublic: "theirs.weight") == nil)
  }

  private static func stageOne(_ seed: UInt64) -> StageOneModel {
    StageOneModel(TinyStageOne.configuration(), visionWidth: 6, seed: seed)
  }

  private static func stageTwo(_ seed: UInt64) -> StageTwoModel {
    var configuration = StageTwoConfiguration()
    configuration.qFormer = TinyStageOne.configuration().qFormer
    return StageTwoModel(configuration, visionWidth: 6, embeddingWidth: 5, seed: seed)
  }

  private static func eva(_ initialiser: ParameterInitialiser) -> EVAViT {
    EVAViT(small(EVAViTConfiguration()), initialiser)
  }

  private static func small<Sizes: ViTConfiguration>(_ start: Sizes) -> Sizes {
    var sizes = start
    (sizes.width, sizes.layers, sizes.heads, sizes.patchSize, sizes.imageSize) = (8, 2, 2, 2, 6)
    return sizes
  }

  private static var smallOPT: OPTConfiguration {
    var sizes = OPTConfiguration()
    (sizes.width, sizes.layers, sizes.heads, sizes.feedForwardWidth) = (8, 2, 2, 12)
    (sizes.vocabularySize, sizes.maximumPositions, sizes.embeddingWidth) = (20, 10, 6)
    return sizes
  }

  private static func smallT5(_ isGated: Bool) -> T5Configuration {
    var sizes = isGated ? T5Configuration.gated : T5Configuration()
    (sizes.width, sizes.headWidth, sizes.heads, sizes.feedForwardWidth) = (8, 3, 2, 12)
    (sizes.encoderLayers, sizes.decoderLayers, sizes.vocabularySize) = (2, 3, 20)
    return sizes
  }

  private static var smallLlama: LlamaConfiguration {
    var sizes = LlamaConfiguration()
    (sizes.width, sizes.layers, sizes.heads, sizes.keyHeads) = (8, 2, 4, 2)
    (sizes.headWidth, sizes.feedForwardWidth, sizes.vocabularySize) = (2, 12, 20)
    return sizes
  }
}
