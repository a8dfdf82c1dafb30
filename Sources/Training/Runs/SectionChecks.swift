import BLIP2
import Layers
import Tensors

extension RunConfiguration {
  /// Checks the sections that all stages share.
  /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
  func checkCommon() throws {
    try ConfigurationCheck.whole([("version", version, 1...ConfigurationLoader.recipeVersion)])
    try data.check()
    try training.check()
    try vision.check()
    if precision == .int8 {
      throw ConfigurationError.invalidValue(
        field: "precision", found: precision.rawValue, expected: "fp32 or bf16",
        advice: "weights that are trained are not multiplied in int8; for a frozen image encoder, "
          + "set vision.precision to int8")
    }
    try ConfigurationCheck.whole([
      ("checkpoint.every", checkpoint.every, 0...Int.max),
      ("checkpoint.keep", checkpoint.keep, 1...1_000_000), ("log.every", log.every, 1...Int.max),
      ("log.pictures", log.pictures, 0...256),
    ])
    try ConfigurationCheck.numbers([
      ("checkpoint.everyMinutes", checkpoint.everyMinutes ?? 1, 0.01...1e6)
    ])
    if data.train.locations.isEmpty {
      throw ConfigurationError.invalidValue(
        field: "data.train.path", found: "null", expected: DataSourceWords.kinds,
        advice: "name one in the recipe or by --set data.train.path=LIST")
    }
  }
}

/// Values held against ranges.
enum ConfigurationCheck {
  static func whole(_ fields: [(name: String, value: Int, range: ClosedRange<Int>)]) throws {
    for field in fields where !field.range.contains(field.value) {
      let most = field.range.upperBound == .max ? "" : ", at most \(field.range.upperBound)"
      throw ConfigurationError.invalidValue(
        field: field.name, found: String(field.value),
        expected: "at least \(field.range.lowerBound)\(most)", advice: "")
    }
  }

  static func numbers(_ fields: [(name: String, value: Double, range: ClosedRange<Double>)]) throws
  {
    for field in fields where !field.range.contains(field.value) {
      throw ConfigurationError.invalidValue(
        field: field.name, found: String(field.value),
        expected: "a number from \(field.range.lowerBound) to \(field.range.upperBound)",
        advice: "")
    }
  }
}

extension DataConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  public func check() throws {
    try train.check("data.train")
    try ConfigurationCheck.whole([
      ("data.maximumTextLength", maximumTextLength, 3...65_536),
      ("data.workers", workers, 1...1024),
      ("data.prefetchedBatches", prefetchedBatches, 1...1024),
      ("data.maximumPixelCount", maximumPixelCount, 1...(1 << 29)),
      ("data.augmentation.randAugmentOperations", augmentation.randAugmentOperations, 1...16),
    ])
    try ConfigurationCheck.numbers([
      ("data.maximumBadShare", maximumBadShare, 0...1),
      ("data.augmentation.leastArea", augmentation.leastArea, 0.01...1),
      ("data.augmentation.flipProbability", Double(augmentation.flipProbability), 0...1),
      ("data.augmentation.randAugmentMagnitude", augmentation.randAugmentMagnitude, 0...10),
    ])
  }
}

extension TrainingConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try ConfigurationCheck.whole([
      ("training.steps", steps, 1...Int(Int32.max)), ("training.batchSize", batchSize, 1...65_536),
      ("training.accumulation", accumulation, 1...65_536),
      ("training.stopAfterSkippedSteps", stopAfterSkippedSteps, 1...Int.max),
    ])
    if let chunkSize, !(1...batchSize).contains(chunkSize) {
      throw ConfigurationError.invalidValue(
        field: "training.chunkSize", found: String(chunkSize),
        expected: "1 to training.batchSize, \(batchSize)",
        advice: "a micro-batch is cut into chunks; null takes it as a whole")
    }
    try learningRate.check("training.learningRate")
    try adamW.check("training.adamW")
    try ConfigurationCheck.numbers([("training.clipNorm", clipNorm ?? 1, 1e-12...1e12)])
  }
}

extension LearningRateSchedule {
  /// - Parameter name: What messages call this section.
  /// - Throws: `ConfigurationError.invalidValue`.
  func check(_ name: String) throws {
    try ConfigurationCheck.whole([("\(name).warmupSteps", warmupSteps, 0...Int(Int32.max))])
    try ConfigurationCheck.numbers([
      ("\(name).start", start, 0...10), ("\(name).peak", peak, 0...10),
      ("\(name).final", final, 0...10),
    ])
  }
}

extension AdamWConfiguration {
  /// - Parameter name: What messages call this section.
  /// - Throws: `ConfigurationError.invalidValue`.
  func check(_ name: String) throws {
    try ConfigurationCheck.numbers([
      ("\(name).beta1", Double(beta1), 0...0.999_999),
      ("\(name).beta2", Double(beta2), 0...0.999_999),
      ("\(name).epsilon", Double(epsilon), 1e-30...1),
      ("\(name).weightDecay", Double(weightDecay), 0...1000),
    ])
  }
}

extension VisionConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try ConfigurationCheck.numbers([("vision.learningRateScale", learningRateScale, 0...1e6)])
    try ConfigurationCheck.whole([
      ("vision.new.width", new.width, 1...16_384), ("vision.new.layers", new.layers, 1...512),
      ("vision.new.heads", new.heads, 1...1024), ("vision.new.patchSize", new.patchSize, 1...1024),
      ("vision.new.imageSize", new.imageSize, min(8192, new.patchSize)...8192),
    ])
    if new.width % new.heads != 0 {
      throw ConfigurationError.invalidValue(
        field: "vision.new.heads", found: String(new.heads),
        expected: "a divisor of the width \(new.width)", advice: "")
    }
    try ConfigurationCheck.numbers([
      ("vision.new.initialDeviation", Double(new.initialDeviation), 0...100)
    ])
    if new.positions == .sineCosine && new.width % 4 != 0 {
      throw ConfigurationError.invalidValue(
        field: "vision.new.width", found: String(new.width),
        expected: "a multiple of 4 where vision.new.positions is sineCosine", advice: "")
    }
    try ConfigurationCheck.whole([("vision.views", views, 1...1024)])
    if cache && !frozen {
      throw ConfigurationError.invalidValue(
        field: "vision.cache", found: "true", expected: "false for an encoder that is trained",
        advice: "its features change at every step; set vision.frozen to true to keep them")
    }
    if precision == .int8 && !frozen {
      throw ConfigurationError.invalidValue(
        field: "vision.precision", found: "int8",
        expected: "fp32, bf16 or null for an encoder that is trained",
        advice: "weights are rounded to int8 once; set vision.frozen to true to use it")
    }
    if path == nil && frozen {
      throw ConfigurationError.invalidValue(
        field: "vision.path", found: "null", expected: "the folder of an image encoder",
        advice: "a new encoder must be trained: set vision.frozen to false")
    }
  }
}

extension QFormerConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try ConfigurationCheck.whole([
      ("model.qFormer.width", width, 1...16_384), ("model.qFormer.layers", layers, 1...512),
      ("model.qFormer.heads", heads, 1...1024),
      ("model.qFormer.feedForwardWidth", feedForwardWidth, 1...131_072),
      ("model.qFormer.queries", queries, 1...4096),
      ("model.qFormer.crossAttentionFrequency", crossAttentionFrequency, 1...512),
      ("model.qFormer.maximumPositions", maximumPositions, 3...65_536),
      ("model.qFormer.vocabularySize", vocabularySize, 1...(1 << 24)),
    ])
    try ConfigurationCheck.numbers([
      ("model.qFormer.dropout", Double(dropout), 0...0.999),
      ("model.qFormer.layerNormEpsilon", Double(layerNormEpsilon), 1e-30...1),
      ("model.qFormer.initialDeviation", Double(initialDeviation), 0...100),
    ])
    if width % heads != 0 {
      throw ConfigurationError.invalidValue(
        field: "model.qFormer.heads", found: String(heads),
        expected: "a divisor of the width \(width)", advice: "")
    }
  }
}

extension StageTwoConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws { try qFormer.check() }
}
