import BLIP2
import Configuration
import Foundation
import Layers
import Reporting
import Tensors
import Training
import WeightFiles

extension ImageTextConfiguration {
  /// Checks the keys' ranges, and the sections that recipes of images with captions share.
  /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
  func checkCommon() throws {
    try checkRun()
    try data.train.check("data.train")
    try vision.check()
  }

  /// Checks the keys' ranges, and what is said of the data.
  /// - Throws: `ConfigurationError.invalidValue`.
  public func checkData() throws {
    try KeyCheck.check(self, like: Self())
    try data.train.check("data.train")
  }

  /// Bytes of the images that are read ahead, for ``Reckoning``; where features are kept they are few.
  var imagesReadAhead: Int {
    if vision.cache { return 0 }
    let side = vision.imageSize ?? 96
    return run.training.batchSize * (data.prefetchedBatches + 2) * 3 * side * side * 4
  }
}

extension DataConfiguration {
  /// - Throws: `ConfigurationError.invalidValue` where nothing is named to train on.
  func requireTraining() throws {
    try require(
      !train.locations.isEmpty, "data.train.path", found: "null",
      expected: DataSourceWords.kinds,
      advice: "name one in the recipe or by --set data.train.path=LIST")
  }
}

extension VisionConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try new.check()
    try require(
      frozen || !cache, "vision.cache", found: "true",
      expected: "false for an encoder that is trained",
      advice: "its features change at every step; set vision.frozen to true to keep them")
    try require(
      frozen || precision != .int8, "vision.precision", found: "int8",
      expected: "fp32, bf16 or null for an encoder that is trained",
      advice: "weights are rounded to int8 once; set vision.frozen to true to use it")
    try require(
      !frozen || path != nil, "vision.path", found: "null",
      expected: "the folder of an image encoder",
      advice: "name it by --set vision.path=FOLDER; a new encoder must be trained: set "
        + "vision.frozen to false")
  }
}

extension VisionConfiguration.NewEncoder {
  /// - Throws: `ConfigurationError.invalidValue`.
  fileprivate func check() throws {
    try require(
      imageSize >= patchSize, "vision.new.imageSize", found: imageSize,
      expected: "at least the patch size \(patchSize)")
    try require(
      width % heads == 0, "vision.new.heads", found: heads,
      expected: "a divisor of the width \(width)")
    try require(
      positions != .sineCosine || width % 4 == 0, "vision.new.width", found: width,
      expected: "a multiple of 4 where vision.new.positions is sineCosine")
  }
}

extension InitialiseConfiguration {
  /// Gives a new run the values that are named here.
  /// - Parameters:
  ///   - bert: Takes those of a BERT folder, and says which.
  ///   - model: Takes those of a trained model; optimiser and schedule start afresh.
  /// - Returns: False where none are named.
  func begin(
    _ progress: ProgressReporter, bert: (WeightFolder) throws -> LoadReport,
    model: (any TrainedModel, ProgressReporter) throws -> Void
  ) throws -> Bool {
    if let path = self.bert {
      let report = try KeyedError.naming("initialise.bert", path: path) {
        try bert(WeightFolder(URL(fileURLWithPath: path, isDirectory: true)))
      }
      progress.say("initialised from BERT \(path)")
      progress.say(lists: report.lists)
    } else if let path = from {
      try KeyedError.naming("initialise.from", path: path) {
        let file = try TrainedModels.open(path) { progress.say($0) }
        try model(file, progress)
        progress.say("initialised from \(file.url.path) (step \(file.metadata.step))")
      }
    }
    return self.bert != nil || from != nil
  }
}

extension QFormerConfiguration {
  /// What differs from a trained model's and changes what queries make of images, in words.
  func differences(
    from earlier: QFormerConfiguration, of model: any TrainedModel
  ) throws -> [String] {
    var then = earlier
    // These change nothing for the queries, or are free to change.
    then.dropout = dropout
    then.vocabularySize = vocabularySize
    then.maximumPositions = maximumPositions
    then.initialDeviation = initialDeviation
    if let model = model as? PublicCheckpoint, model.form.isOfAuthors { then.heads = heads }
    return try KeyDifference.between(
      then, self, like: QFormerConfiguration(), under: "model.qFormer"
    ).map(\.line)
  }

  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try require(
      width % heads == 0, "model.qFormer.heads", found: heads,
      expected: "a divisor of the width \(width)")
  }
}

extension LoadReport {
  /// For people.
  var lists: [(text: String, names: [String])] {
    [("starting values kept", missing), ("weights not used", unused)]
  }
}
