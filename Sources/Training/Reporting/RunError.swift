import Files
import Foundation
import Reporting

/// Why a run cannot start, go on or end well, apart from its configuration and its files.
public enum RunError: Error, Equatable {
  case cannotWrite(file: String, reason: String)
  /// The checkpoint does not belong to this run; each difference names both values.
  case differsFromCheckpoint(file: String, differences: [String], advice: String)
  case wrongKind(file: String, expected: String, found: String)
  case noCheckpoint(folder: String, passedOver: [String], isResume: Bool)
  /// What no run can go on from.
  case publicModel(path: String)
  /// No validation has named one.
  case noBest(file: String)
  case folderHasRun(folder: String, newest: String)
  /// Loss or gradient were not finite several times in a row.
  case notFinite(steps: Int, step: Int, diagnosis: String)
  case vocabularyMismatch(file: String, tokens: Int, model: Int)
  /// The checkpoint holds no image encoder.
  case frozenVision(file: String, encoder: String)
  /// None of the images asked for can be read.
  case noImages(count: Int)
  /// A source of which no image that was tried can be read, and why the first cannot.
  case unreadableSource(tried: Int, first: String)
  /// Images and texts that are to be paired.
  case unequalCounts(images: Int, texts: Int)
  case unknownOutputForm(file: String, expected: [String])
  /// An image's features are not what was written; `view` counts from 1.
  case damagedFeatures(file: String, image: String, view: Int)
  /// The language model is of another family than the recipe says.
  case otherFamily(path: String, expected: String, found: String)
  /// The tokenizer knows more tokens than the language model has rows for.
  case tokenizerMismatch(tokenizer: String, tokens: Int, model: String, rows: Int)
  /// Tokenizer and language model end texts with different tokens.
  case otherEndToken(
    tokenizer: String, token: Int, model: String, expected: [Int], generation: [Int])
  /// A tokenizer without a single token for the line feed that ends OPT's texts.
  case noLineFeed(path: String, tokens: Int)
  /// A run that wants more memory than there is, in bytes: all of it, the part for weights, gradients and
  /// moments; and what is left of which limit.
  case memory(needed: Int, state: Int, available: Int, limit: String)
  /// Checkpoints that the disk has no room for, in bytes.
  case disk(folder: String, needed: Int, checkpoints: Int, free: Int)
  /// A checkpoint longer than a file may be, in bytes.
  case fileSize(needed: Int, limit: Int)
  /// A result that is not finite; `culprit` is what is not finite in the model, if anything is.
  case notFiniteResult(what: String, culprit: String?)
  /// Processes that a launcher started would not train the same; each difference names both values.
  case processesDiffer(first: String, differences: [String])
  /// Parameters that ought to have the same bits in all processes.
  case processesComputedDifferently(step: Int, first: String)
  /// A language model larger than the machine's memory.
  case tooLarge(path: String, bytes: Int, memory: Int)
}

extension RunError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .cannotWrite(let file, let reason):
      "\(file): cannot be written: \(reason)"
    case .differsFromCheckpoint(let file, let differences, let advice):
      "\(file) does not fit this run:\n"
        + differences.map { "  \($0)" }.joined(separator: "\n") + "\n\(advice)"
    case .wrongKind(let file, let expected, let found):
      "\(file): expected a checkpoint of \(expected), found one of \(found); "
        + "name a checkpoint of a \(expected) run"
    case .noCheckpoint(let folder, let passedOver, let isResume):
      "\(folder): no sound checkpoint; "
        + (!isResume
          ? "name a checkpoint, or the folder of a run that has saved one"
          : passedOver.isEmpty
            ? "to train there from the start, leave --resume out or say --resume auto"
            : "move the damaged ones away, or train into another folder by --output")
        + passedOver.map { "\n  passed over: \($0)" }.joined()
    case .publicModel(let path):
      "\(path) is a public model, without the optimiser's state that a run goes on from; begin from "
        + "it by --set initialise.from=\(path)"
    case .noBest(let file):
      "\(file): there was no validation yet (data.validation.path), so that no checkpoint is the "
        + "best; name a checkpoint, or the folder for its newest"
    case .folderHasRun(let folder, let newest):
      "\(folder) holds a run already (\(newest)); go on with it by --resume, or choose another "
        + "folder by --output"
    case .notFinite(let steps, let step, let diagnosis):
      "\(Quantity.of(steps, "step")) in a row, up to step \(step), had a loss or gradient that is "
        + "not finite; no update was made by them. \(diagnosis)"
    case .vocabularyMismatch(let file, let tokens, let model):
      "\(file): \(tokens) tokens with [DEC], but model.qFormer.vocabularySize is \(model); "
        + "set it to \(tokens) or name the vocabulary that the model was made for"
    case .frozenVision(let file, let encoder):
      "\(file): the run's image encoder was frozen and is not in the checkpoint; it is the one "
        + "in \(encoder)"
    case .noImages(let count):
      "no image of \(count) could be read: see the reasons above"
    case .unreadableSource(let tried, let first):
      "no image of \(tried) tried can be read. The first: \(first). Check the list's paths and "
        + "imageFolder, what they are relative to"
    case .unequalCounts(let images, let texts):
      "\(Quantity.of(images, "image")) and \(Quantity.of(texts, "text")): where both are given, each "
        + "image is paired with the text of its place, so give as many of one as of the other, or "
        + "embed them by two calls"
    case .damagedFeatures(let file, let image, let view):
      "\(file): the features of \(image) (view \(view)) are not what was written: the file is "
        + "damaged; make it again by blip2-train features with this run's recipe, or delete it"
    case .otherFamily(let path, let expected, let found):
      "\(path): expected a language model of the family \(expected), found \(found); "
        + "choose it by --llm \(found), or name another by --set llm.path=FOLDER"
    case .tokenizerMismatch(let tokenizer, let tokens, let model, let rows):
      "\(tokenizer): \(tokens) tokens, but the language model \(model) has word embeddings for "
        + "\(rows); name the tokenizer that belongs to it by --set llm.tokenizer=FOLDER"
    case .otherEndToken(let tokenizer, let token, let model, let expected, let generation):
      "\(tokenizer): its texts end with token \(token), those of the language model "
        + "\(model) with \(RunError.list(expected)) (eos_token_id); "
        + (tokenizer == model
          ? "generation_config.json says \(RunError.list(generation)). Set eos_token_id in "
            + "config.json to \(token) if the tokenizer is the model's"
          : "name the tokenizer that belongs to it by --set llm.tokenizer=FOLDER")
    case .noLineFeed(let path, let tokens):
      "\(path): expected one token for a line feed, which ends OPT's texts, found \(tokens); "
        + "check that the tokenizer belongs to the model"
    case .tooLarge(let path, let bytes, let memory):
      "\(path): the weights take \(Quantity.bytes(bytes)), and this machine has "
        + "\(Quantity.bytes(memory)) of memory left; take a smaller model, or one stored in 16 bits or "
        + "quantised (GGUF)"
    case .memory(let needed, let state, let available, let limit):
      "the run needs about \(Quantity.bytes(needed)) of memory "
        + "(\(Quantity.bytes(state)) for weights, gradients and moments), and \(limit) has "
        + "\(Quantity.bytes(available)) left: raise the limit, or lower training.batchSize, "
        + "training.chunkSize or the model's sizes"
    case .disk(let folder, let needed, let checkpoints, let free):
      "\(folder): \(checkpoints) checkpoints take \(Quantity.bytes(needed)), and "
        + "\(Quantity.bytes(free)) are free on its disk: make room, choose another folder by "
        + "--output, or keep fewer by checkpoint.keep"
    case .fileSize(let needed, let limit):
      "a checkpoint takes \(Quantity.bytes(needed)), and files may have "
        + "\(Quantity.bytes(limit)) (ulimit -f): raise the limit, or take smaller sizes"
    case .notFiniteResult(let what, let culprit):
      "\(what) not finite (NaN or infinity): there is no result"
        + (culprit.map { "; the parameter \($0) is not finite" } ?? "")
    case .processesDiffer(let first, let differences):
      "this is not what \(first) is to train:\n"
        + differences.map { "  \($0)" }.joined(separator: "\n")
        + "\nInstall the same version everywhere, and let every host see the same files"
    case .processesComputedDifferently(let step, let first):
      "after step \(step) the parameters are not those of \(first), as they ought to be to the bit: "
        + "something computes or remembers wrongly on one of these hosts; --resume goes on from the last "
        + "checkpoint"
    case .unknownOutputForm(let file, let expected):
      "\(file): expected a name that ends in \(expected.joined(separator: ", "))"
    }
  }

  /// `1 or 2`, or `nothing`
  private static func list(_ tokens: [Int]) -> String {
    tokens.isEmpty ? "nothing" : tokens.map(String.init).joined(separator: " or ")
  }
}
