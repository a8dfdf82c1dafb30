import Autograd
import Checkpointing
import Configuration
import Datasets
import Foundation
import Layers
import Objectives
import Reporting
import Tensors

/// What is trained and how: a configuration, the modules that it builds, their losses, what is judged in
/// between and what a run begins from. `Recipes.all` lists them.
public protocol Recipe {
  associatedtype Configuration: RecipeConfiguration

  /// What commands, recipes (`recipe: stage1`) and checkpoints call it.
  static var name: String { get }
  /// Sections that no other recipe has: they tell what a file without the key `recipe` is.
  static var ownSections: [String] { get }
  /// How the files that a checkpoint was trained with are named, as advice.
  static var filesAdvice: String { get }

  /// What one does next with a finished run, as a command.
  func next(after output: String) -> String?

  /// A short recipe to begin from: its values, and which keys of it are shown, by their paths, with what is
  /// said of each beside its meaning.
  static var starter: (configuration: Configuration, keys: [String: String]) { get }

  /// Sections that `defaults` takes from what a run begins from.
  static var openKeys: Set<String> { get }

  /// The values of the keys that a recipe does not give.
  /// - Parameters:
  ///   - configuration: The recipe over the usual defaults.
  ///   - earlier: The configuration of a checkpoint that is gone on from, or used.
  static func defaults(
    for configuration: Configuration, earlier: Configuration?
  ) throws -> Configuration

  /// Builds the modules and opens the data sets; nothing is written yet.
  /// - Parameter parts: The data sets that are wanted.
  /// - Throws: `ConfigurationError` and the errors of the files that are read.
  init(_ configuration: Configuration, reading parts: Set<DataPart>) throws

  var configuration: Configuration { get }
  /// All modules, trained and frozen.
  var model: RecipeModel { get }
  /// Says who is told what a person should know of work that begins later, such as that features are
  /// computed.
  func reports(to report: @escaping (String) -> Void)
  /// From now on nothing is computed to be kept, such as features: a dry run.
  func keepNothing()
  /// Digests of what a run reads but does not store, by name; `data` is the training data's.
  func fingerprints() throws -> [String: String]
  /// The memory and disk that a run is going to want.
  var reckoning: Reckoning { get }

  /// Gives a new run its starting values.
  func initialise(_ progress: ProgressReporter) throws
  /// What a run is about, once at its start.
  func describe(_ progress: ProgressReporter)
  /// Endless training batches from a place on. What else a run reads is tried here, before its first step.
  /// - Parameter share: What this process has of each global batch, which holds `training.batchSize` pairs
  ///   for each process.
  /// - Throws: ``Interrupted``, or the errors of the files that are read.
  func batches(
    from position: LoaderPosition, share: LoaderShare, _ progress: ProgressReporter
  ) throws -> any BatchStream

  /// Adds to a store the gradients of a global micro-batch's mean loss, as far as this process's share of it
  /// makes them: those of all processes add up to the whole.
  /// - Parameters:
  ///   - firstIndex: The number that the global micro-batch's first pair has in the step.
  ///   - weight: What the loss counts for.
  ///   - communicator: The processes that have the other shares.
  /// - Returns: The whole loss's terms by name.
  /// - Throws: `Interrupted` between parts of the batch; the store is then of no use.
  func addGradients(
    of batch: Batch, step: Int, firstIndex: Int, weight: Float, to gradients: Gradients,
    with communicator: some Communicator
  ) throws -> NamedValues

  /// Judges held-out pairs; nil where the configuration names none.
  /// - Throws: `Interrupted` when asked to stop.
  func validate() throws -> ValidationReport?
  /// A validation's score, for people.
  static func text(ofScore score: Double) -> String

  /// What is written after the last step, beside checkpoints. A resumed run that has no step left does it
  /// again.
  func finish(_ progress: ProgressReporter) throws
}

extension Recipe {
  public static var openKeys: Set<String> { [] }

  public func next(after output: String) -> String? { nil }

  public static func text(ofScore score: Double) -> String { String(format: "%.4g", score) }

  public static func defaults(
    for configuration: Configuration, earlier: Configuration?
  ) throws -> Configuration { Configuration() }

  public func reports(to report: @escaping (String) -> Void) {}

  public func keepNothing() {}

  public func finish(_ progress: ProgressReporter) throws {}
}

/// The data sets of a recipe.
public enum DataPart: CaseIterable, Sendable {
  case training, validation
}

/// The modules of a recipe as one tree, which names parameters, tells what is trained, and at which rate.
public struct RecipeModel: Module {
  /// What stands between the frozen models. Its own members are the tree's, as checkpoints have always
  /// named them.
  var bridge: (any Module)?
  /// The image encoder.
  var vision: (any Module)?
  var languageModel: (any Module)?

  package init(
    bridge: (any Module)? = nil, vision: (any Module)? = nil, languageModel: (any Module)? = nil,
    visionRateScale: Double = 1
  ) {
    self.bridge = bridge
    self.vision = vision
    self.languageModel = languageModel
    self.visionRateScale = visionRateScale
  }
  /// What the encoder's learning rate is multiplied with, where it is trained.
  var visionRateScale: Double

  public var members: [Member] {
    (bridge?.members ?? [])
      + [("vision", vision), ("languageModel", languageModel)].compactMap {
        name, module in module.map { .module(name, $0) }
      }
  }

  /// What is trained, by name: what checkpoints hold.
  package var trainedParameters: [NamedParameter] {
    namedParameters.filter { !$0.parameter.isFrozen }
  }

  /// What the losses depend on and is not trained.
  var frozenParameters: [NamedParameter] { namedParameters.filter(\.parameter.isFrozen) }

  /// What the learning rate of each trained parameter is multiplied with.
  var rateScales: [ObjectIdentifier: Double] {
    Dictionary(
      uniqueKeysWithValues: (vision?.namedParameters ?? []).map {
        (ObjectIdentifier($0.parameter), visionRateScale)
      })
  }

  /// The error for a result that is not finite, with the parameter that is to blame.
  /// - Parameter what: The result and a verb.
  package func notFinite(_ what: String) -> RunError {
    .notFiniteResult(
      what: what, culprit: namedParameters.first { $0.parameter.value.hasNonFinite }?.name)
  }
}

/// The outcome of a validation.
public struct ValidationReport {
  /// Everything measured, by name.
  public var values: NamedValues
  /// Lines for people.
  public var lines: [String]
  /// Held-out images with what the model says of them.
  var images: [SampleImage]
  /// What the best checkpoint is chosen by; larger is better.
  public var score: Double
  /// What `score` is, in words.
  public var scoreName: String

  package init(
    values: NamedValues, lines: [String], images: [SampleImage], score: Double, scoreName: String
  ) {
    self.values = values
    self.lines = lines
    self.images = images
    self.score = score
    self.scoreName = scoreName
  }
}

/// The keys of a recipe's YAML file: everything that decides what its runs compute.
@dynamicMemberLookup
public protocol RecipeConfiguration: Codable {
  var run: RunConfiguration { get set }
  /// Steps between validations; 0 for none but the last.
  var validationEvery: Int { get }

  init()

  /// Checks what the types cannot say.
  /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
  func check() throws

  /// A path with the names in it that placeholders stand for.
  func resolved(_ path: String) -> String
}

extension RecipeConfiguration {
  /// The shared keys as if they were the configuration's own, as they are in the file.
  public subscript<Value>(dynamicMember key: WritableKeyPath<RunConfiguration, Value>) -> Value {
    get { run[keyPath: key] }
    set { run[keyPath: key] = newValue }
  }

  public func resolved(_ path: String) -> String { path }

  /// The keys that a recipe to begin from shows of those that all recipes have.
  package static var starterKeys: [String: String] {
    let paths = [
      "recipe", "version", "output", "precision", "training.steps", "training.batchSize",
      "training.learningRate.peak", "training.learningRate.warmupSteps", "checkpoint.every",
      "checkpoint.keep",
    ]
    return Dictionary(uniqueKeysWithValues: paths.map { ($0, "") })
  }

  /// The output folder with names in place of placeholders.
  public var outputFolder: String { resolved(run.output) }

  /// Checks the keys' ranges, and what all recipes share.
  /// - Throws: `ConfigurationError.invalidValue`.
  package func checkRun() throws {
    try KeyCheck.check(self, like: Self())
    try run.training.check()
    try require(
      run.precision != .int8, "precision", found: run.precision.rawValue, expected: "fp32 or bf16",
      advice: "weights that are trained are not multiplied in int8; for a frozen image encoder, "
        + "set vision.precision to int8")
  }
}
