import Datasets
import Files
import Foundation
import TestSupport
import Testing

@testable import Recipes
@testable import Training

/// Files of features: written in pieces, gone on with, damaged, read by loaders.
@Suite struct FeatureFileTests {
  private let folder: TemporaryFolder
  private let target: URL
  private let layout = FeatureLayout(views: 4, images: 7, tokens: 3, width: 5)
  private let stamp = "{\"encoder\":\"a\"}"

  init() throws {
    folder = try TemporaryFolder()
    target = folder.url.appendingPathComponent("a.safetensors")
  }

  /// The features of a row: its view in each odd place, its image in each even one.
  private func row(_ row: Int) -> [UInt16] {
    (0..<layout.valueCount).map { place in
      let value = Float(place % 2 == 0 ? row % layout.images : row / layout.images)
      return UInt16(value.bitPattern >> 16)
    }
  }

  private func writer(_ report: (String) -> Void = { _ in }) throws -> FeatureWriter {
    let file = try #require(try ResumableFile.locked(for: target.path))
    return try FeatureWriter(file, layout: layout, stamp: stamp, report: report)
  }

  /// Writes up to a row; the images of `unreadable` rows are passed over.
  private func fill(_ writer: FeatureWriter, to end: Int, unreadable: Set<Int> = []) throws {
    for number in writer.rowCount..<end {
      if unreadable.contains(number) {
        try writer.skip(to: number + 1)
      } else {
        try row(number).withUnsafeBytes(writer.append)
      }
    }
  }

  /// The bytes of a file that is written without interruption.
  private func whole(unreadable: Set<Int> = []) throws -> [UInt8] {
    let writer = try writer()
    try fill(writer, to: layout.rowCount, unreadable: unreadable)
    try writer.finish()
    defer { try? FileManager.default.removeItem(at: target) }
    return [UInt8](try Data(contentsOf: target))
  }

  private var partURL: URL { target.appendingPathExtension(ResumableFile.pathExtension) }

  private func store() throws -> FeatureStore {
    try #require(try FeatureStore(target, stamp: stamp, layout: layout))
  }

  // MARK: Writing

  @Test func interruptedFilesAreGoneOnWithToTheByte() throws {
    let unreadable: Set = [3, 11]
    let expected = try whole(unreadable: unreadable)
    for kept in 0...layout.rowCount {
      do {
        let writer = try writer()
        try fill(writer, to: kept, unreadable: unreadable)
        try writer.keep()
        // Rows that nothing counts, not even the right ones: a killed process had other images.
        try fill(writer, to: min(kept + 2, layout.rowCount), unreadable: [])
      }
      #expect(!FileManager.default.fileExists(atPath: target.path))
      let writer = try writer { Issue.record("\($0)") }
      #expect(writer.rowCount == kept && writer.keptCount == kept)
      try fill(writer, to: layout.rowCount, unreadable: unreadable)
      try writer.finish()
      #expect([UInt8](try Data(contentsOf: target)) == expected, "after \(kept) rows")
      #expect(!FileManager.default.fileExists(atPath: partURL.path))
      try FileManager.default.removeItem(at: target)
    }
  }

  @Test func aFileThatOnlyLacksItsNameIsTaken() throws {
    let expected = try whole()
    try Data(expected).write(to: partURL)
    let writer = try writer { Issue.record("\($0)") }
    #expect(writer.rowCount == layout.rowCount)
    try writer.finish()
    #expect([UInt8](try Data(contentsOf: target)) == expected)
  }

  @Test func whatIsNotTrustedIsBegunAnew() throws {
    let expected = try whole()
    for problem in ["other stamp", "damaged row", "cut", "text"] {
      do {
        let file = try #require(try ResumableFile.locked(for: target.path))
        let writer = try FeatureWriter(
          file, layout: layout, stamp: problem == "other stamp" ? "b" : stamp
        ) { _ in }
        try fill(writer, to: 9)
        try writer.keep()
      }
      var bytes = [UInt8](try Data(contentsOf: partURL))
      // The first row's first number lies behind header, checksums and digest.
      let first = expected.count - layout.byteCount + layout.offset(ofRow: 0)
      if problem == "damaged row" { bytes[first] ^= 1 }
      if problem == "cut" { bytes.removeLast(20) }
      if problem == "text" { bytes = Array("features".utf8) }
      try Data(bytes).write(to: partURL)
      var said: [String] = []
      let writer = try writer { said.append($0) }
      #expect(writer.rowCount == 0)
      #expect(said.count == 1 && said[0].contains("begun anew"), "\(problem): \(said)")
      if problem == "damaged row" { #expect(said[0].contains("image 1 is damaged in view 1")) }
      try fill(writer, to: layout.rowCount)
      try writer.finish()
      #expect([UInt8](try Data(contentsOf: target)) == expected, "\(problem)")
    }
  }

  /// Whatever became of the unfinished file, the finished one is right.
  @Test func damagedUnfinishedFilesDoNoHarm() throws {
    let expected = try whole()
    do {
      let writer = try writer()
      try fill(writer, to: 17)
      try writer.keep()
    }
    let part = [UInt8](try Data(contentsOf: partURL))
    var mutator = Mutator(seed: 5)
    for round in 0..<300 {
      try folder.replace(partURL.lastPathComponent, with: mutator.mutated(part, with: expected))
      let writer = try writer()
      try fill(writer, to: layout.rowCount)
      try writer.finish()
      #expect([UInt8](try Data(contentsOf: target)) == expected, "round \(round)")
    }
  }

  @Test func oneProcessAtATime() throws {
    let first = try #require(try ResumableFile.locked(for: target.path))
    #expect(try ResumableFile.locked(for: target.path) == nil)
    try first.finish()
    // The name is free again, and the lock of the file that had it does not count.
    let second = try #require(try ResumableFile.locked(for: target.path))
    #expect(try second.file.length() == 0)
    withExtendedLifetime(first) {}
    try FileManager.default.removeItem(atPath: second.path)
    try FileManager.default.createDirectory(atPath: second.path, withIntermediateDirectories: false)
    #expect(throws: SystemFailure.self) { try ResumableFile.locked(for: target.path) }
  }

  // MARK: Reading

  /// Samples without images.
  private struct Samples: SampleSource {
    let count: Int

    func sample(at index: Int, seed: UInt64, epoch: Int) -> CaptionSample {
      CaptionSample(
        index: index, image: index, imageId: Int64(index), caption: "", path: "\(index).png")
    }

    func imageBytes(ofImage image: Int, limit: Int) -> [UInt8] { [] }
  }

  private func loader(
    _ store: FeatureStore, from start: LoaderPosition = LoaderPosition()
  ) throws -> BatchLoader {
    try BatchLoader(
      source: Samples(count: layout.images), content: store,
      options: BatchLoaderOptions(
        pass: .training, batchSize: 3, seed: 8, workerCount: 2, maximumBadShare: 1),
      startingAt: start)
  }

  /// The view that each sample of the next batches was given, and where the run goes on.
  private func visits(
    _ loader: BatchLoader, _ count: Int
  ) throws -> [(image: Int, view: Int, after: LoaderPosition)] {
    defer { loader.stop() }
    return try (0..<count).flatMap { _ in
      let batch = try #require(try loader.next())
      return batch.samples.enumerated().map { offset, sample in
        let values = batch.content.values[(offset * layout.valueCount)...]
        #expect(Int(values[values.startIndex]) == sample.image)
        return (sample.image, Int(values[values.startIndex + 1]), batch.positionAfter)
      }
    }
  }

  @Test func viewsAreDrawnForEachImageAndEpoch() throws {
    try Data(whole()).write(to: target)
    let store = try store()
    let all = try visits(loader(store), 200)
    for image in 0..<layout.images {
      let views = all.filter { $0.image == image }.map(\.view)
      // 57 to 86 draws of 4 views each.
      for view in 0..<layout.views {
        #expect((5...40).contains(views.count { $0 == view }), "image \(image): \(views)")
      }
      #expect(Set(zip(views, views.dropFirst()).map { [$0, $1] }).count > layout.views)
    }
    // A run that goes on after the fifth batch draws what the other drew.
    let rest = try visits(loader(store, from: all[14].after), 20)
    #expect(rest.map(\.view) == all[15..<75].map(\.view))
    #expect(rest.map(\.image) == all[15..<75].map(\.image))
  }

  @Test func oneViewIsThePlainOne() throws {
    let one = FeatureLayout(views: 1, images: 7, tokens: 3, width: 5)
    do {
      let file = try #require(try ResumableFile.locked(for: target.path))
      let writer = try FeatureWriter(file, layout: one, stamp: stamp) { Issue.record("\($0)") }
      for number in 0..<one.rowCount { try row(number).withUnsafeBytes(writer.append) }
      try writer.finish()
    }
    let store = try #require(try FeatureStore(target, stamp: stamp, layout: one))
    #expect(try visits(loader(store), 50).allSatisfy { $0.view == 0 })
    #expect(try FeatureStore(target, stamp: stamp, layout: layout) == nil)
    #expect(try FeatureStore(target, stamp: "b", layout: one) == nil)
  }

  @Test func aDamagedRowEndsTheLoader() throws {
    var bytes = try whole()
    try Data(bytes).write(to: target)
    #expect(try store().firstDamagedRow() == nil)
    // Image 4 in its third view.
    let row = 2 * layout.images + 4
    bytes[bytes.count - layout.byteCount + layout.offset(ofRow: row) + 7] ^= 0x10
    try Data(bytes).write(to: target)
    let store = try store()
    #expect(try store.firstDamagedRow() == row)
    let error = #expect(throws: RunError.self) { _ = try visits(loader(store), 200) }
    #expect(
      error == .damagedFeatures(file: target.path, image: "4.png", view: 3),
      "\(String(describing: error))")
    #expect(error?.localizedDescription.contains("blip2-train features") == true)
  }

  @Test func imagesThatCouldNotBeReadArePassedOver() throws {
    // Image 3 in view 0 and image 4 in view 1: missing in one view is missing.
    try Data(whole(unreadable: [3, 11])).write(to: target)
    let store = try store()
    #expect(store.absentCount == 2)
    let images = Set(try visits(loader(store), 40).map(\.image))
    #expect(images == [0, 1, 2, 5, 6])
  }

  @Test func damagedFinishedFilesAreNeverTakenForSound() throws {
    let bytes = try whole()
    var mutator = Mutator(seed: 6)
    for round in 0..<500 {
      let damaged = mutator.mutated(bytes)
      guard damaged != bytes else { continue }
      try folder.replace(target.lastPathComponent, with: damaged)
      // A row whose checksum was made 0 would need the digest's checksum as well.
      guard let store = try? FeatureStore(target, stamp: stamp, layout: layout) else { continue }
      let isSound = try store.firstDamagedRow() == nil
      // The header may say the same in other words.
      #expect(
        !isSound
          || damaged.suffix(layout.byteCount).elementsEqual(
            bytes.suffix(layout.byteCount)),
        "round \(round)")
    }
  }
}
