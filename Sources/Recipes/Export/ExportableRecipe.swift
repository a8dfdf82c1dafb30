import BLIP2
import Files
import Foundation
import LanguageModels
import Layers
import PublicFormats

/// A recipe whose results other programs read.
protocol ExportableRecipe: ImageTextRecipe {
  /// What stands between image encoder and language model.
  var bridge: any Module { get }
  /// Its sizes.
  var qFormerSizes: QFormerConfiguration { get }
  /// The authors' names of it.
  var authorsFormat: PublicFormat { get }
  /// The model of Hugging Face's that it becomes.
  static var publicModel: String { get }
  /// Hugging Face's names of the bridge; what has none has no place there.
  static var publicFormat: PublicFormat { get }
  /// What it was made from beside its image encoder: the part's name, and where it lies.
  var sources: [(part: String, path: String)] { get }

  /// What Hugging Face's model has beside bridge and image encoder.
  /// - Throws: `ExportError`, `TokenizerError`.
  func publicTexts() throws -> PublicTexts
}

/// How Hugging Face's model and its processor read and write texts.
struct PublicTexts {
  /// The sizes in `config.json`, as far as they are not the Q-Former's.
  var sizes = PublicBLIP2Configuration()
  /// Nil where the Q-Former itself reads texts.
  var languageModel: PublicLanguageModel?
  var tokenizer: TokenizerFiles
}

extension StageOneRecipe: ExportableRecipe {
  static let publicModel = "Blip2ForImageTextRetrieval"
  static let publicFormat = PublicFormat.huggingFaceRetrieval

  var bridge: any Module { qFormer }
  var qFormerSizes: QFormerConfiguration { configuration.model.qFormer }
  var authorsFormat: PublicFormat { .lavis }

  var sources: [(part: String, path: String)] {
    [("vocabulary", configuration.data.vocabulary)]
  }

  func publicTexts() throws -> PublicTexts {
    // The processor puts the image token before the text, the model takes it away again: it has no row.
    var texts = PublicTexts(
      tokenizer: TokenizerFiles(
        vocabulary: configuration.data.vocabularyFile, tokenizer: tokenizer.tokenizer))
    texts.sizes.qFormer.readsText = true
    texts.sizes.embeddingWidth = configuration.model.embeddingWidth
    return texts
  }
}

extension StageTwoRecipe: ExportableRecipe {
  static let publicModel = "Blip2ForConditionalGeneration"
  static let publicFormat = PublicFormat.huggingFaceStageTwo

  var bridge: any Module { qFormer }
  var qFormerSizes: QFormerConfiguration { configuration.model.qFormer }

  var authorsFormat: PublicFormat {
    let projections = ["opt": "opt_proj", "t5": "t5_proj"]
    return .lavisStageTwo(projection: projections[languageModel.model.family] ?? "llm_proj")
  }

  var sources: [(part: String, path: String)] {
    let stageOne = configuration.stage1.checkpoint
    return [("language model", languageModel.path)]
      + (stageOne == StageOneSource.none ? [] : [("stage 1", stageOne)])
  }

  func publicTexts() throws -> PublicTexts {
    let source = URL(fileURLWithPath: languageModel.path)
    guard FileSystem.isFolder(languageModel.path) else {
      throw ExportError.hasNoPlace(
        file: languageModel.path,
        reason: "its language model is a GGUF file, and transformers wants a folder of its own")
    }
    let folder = configuration.llm.tokenizerFolder ?? source
    var texts = PublicTexts(
      tokenizer: TokenizerFiles(
        folder: folder, tokenizer: texts.tokenizer, family: languageModel.model.family))
    texts.languageModel = PublicLanguageModel(
      languageModel.model, ends: self.texts.ends, start: self.texts.tokenizer.startId,
      padding: self.texts.tokenizer.padId, imageToken: texts.tokenizer.imageToken)
    return texts
  }
}
