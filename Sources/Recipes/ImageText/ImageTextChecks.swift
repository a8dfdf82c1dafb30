import BLIP2
import Checkpointing
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
    try require(
      !data.train.locations.isEmpty, "data.train.path", found: "null",
      expected: DataSourceWords.kinds,
      advice: "name one in the recipe or by --set data.train.path=LIST")
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
      advice: "a new encoder must be trained: set vision.frozen to false")
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
  ///   - checkpoint: Takes those of an earlier run; optimiser and schedule start afresh.
  /// - Returns: False where none are named.
  func begin(
    _ progress: ProgressReporter, bert: (WeightFolder) throws -> LoadReport,
    checkpoint: (CheckpointFile, ProgressReporter) throws -> Void
  ) throws -> Bool {
    if let path = self.bert {
      let report = try KeyedError.naming("initialise.bert", path: path) {
        try bert(WeightFolder(URL(fileURLWithPath: path, isDirectory: true)))
      }
      progress.say("initialised from BERT \(path)")
      progress.say(lists: report.lists)
    } else if let path = self.checkpoint {
      try KeyedError.naming("initialise.checkpoint", path: path) {
        let file = try CheckpointFile.open(fileOrFolder: path) { progress.say($0) }
        try checkpoint(file, progress)
        progress.say("initialised from \(file.url.path) (step \(file.metadata.step))")
      }
    }
    return self.bert != nil || self.checkpoint != nil
  }
}

extension QFormerConfiguration {
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
