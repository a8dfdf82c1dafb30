import Foundation

@testable import Configuration

/// A configuration with every kind of value, for the tests of the loader.
struct ExampleConfiguration: Codable, Equatable {
  var name = "demo"
  var training = TrainingSection()
  @Key("What is kept.") var checkpoint = CheckpointSection()
  @Key("What is read.") var data = DataSection()
  var labels: [String: Double] = ["cat": 1]

  struct TrainingSection: Codable, Equatable {
    var batchSize = 8
    var learningRate = 1e-4
    var dropout: Float = 0.1
    var shuffles = true
    var seed: UInt64 = 42
    var negatives = Negatives.draw
    var betas = [0.9, 0.98]
  }

  enum Negatives: String, Codable, CaseIterable { case draw, all }

  struct CheckpointSection: Codable, Equatable {
    var every = 100
    @Key(1...9, "How many are kept.", resume: .free) var keep: Int? = nil
    var comment: String?
    @Key("A copy elsewhere.") var mirror: Mirror? = nil
  }

  struct Mirror: ConfigurationElement, Equatable {
    var folder = "mirror"
    var compresses = false
    static let template = Mirror()
  }

  struct DataSection: Codable, Equatable {
    @Key("Where pairs lie.", resume: .fixed) var sources = [Source()]
    @Key(0...1, "The share that is passed over.", formerly: "badShare") var skipped = 0.5
    @Key("How negatives are chosen.") var negatives: Negatives? = nil
    var pairs: [Pair] = []
  }

  /// An element with a template: its keys may be left out.
  struct Source: ConfigurationElement, Equatable {
    var path = "train.jsonl"
    var weight = 1.0
    @Key(1...100, "Pairs at most.") var limit: Int? = nil
    static let template = Source()
  }

  /// An element without a template: its keys must be given, but for the optional one.
  struct Pair: Codable, Equatable {
    var image: String
    var caption: String
    var note: String?
  }
}

/// Loads the example with a file of the given bytes.
func load(
  bytes: Data, overrides: [String] = [], defaults: ExampleConfiguration = ExampleConfiguration()
) throws -> ExampleConfiguration {
  let file = FileManager.default.temporaryDirectory
    .appendingPathComponent("configuration-\(UUID().uuidString).yaml")
  try bytes.write(to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  return try ConfigurationLoader.load(defaults, file: file, overrides: overrides)
}

func load(_ yaml: String, overrides: [String] = []) throws -> ExampleConfiguration {
  try load(bytes: Data(yaml.utf8), overrides: overrides)
}

/// The error that loading a text gives, with the file's name replaced by `FILE`.
func message(_ yaml: String, overrides: [String] = []) -> String {
  do {
    _ = try load(yaml, overrides: overrides)
    return "no error"
  } catch let error as ConfigurationError {
    return error.description.replacing(#/\S*configuration-[-0-9A-F]+\.yaml/#, with: "FILE")
  } catch {
    return "an error of another type: \(error)"
  }
}
