import Configuration
import Datasets
import Training

extension DataSourceConfiguration {
  /// Where the pairs lie, and with which weight each place is drawn from: one place without a mixture,
  /// none where neither `path` nor `mix` is given.
  public var locations: [(location: SourceLocation, weight: Double?)] {
    (path.map { [(reading.location($0), nil)] } ?? [])
      + mix.map { ($0.reading.location($0.path), $0.weight) }
  }

  /// The pairs; nil where neither `path` nor `mix` is given.
  /// - Parameter name: What messages call this section.
  /// - Throws: `DatasetError`.
  public func source(_ name: String = "data.train") throws -> (any CaptionSource)? {
    let parts = try locations.enumerated().map { index, place in
      let key = mix.isEmpty ? "\(name).path" : "\(name).mix[\(index)].path"
      return SourceMixture.Part(
        try KeyedError.naming(key, path: place.location.path) { try place.location.open() },
        weight: place.weight)
    }
    return mix.isEmpty
      ? parts.first?.source : try KeyedError.naming("\(name).mix") { try SourceMixture(parts) }
  }

  /// - Parameter name: What messages call this section.
  /// - Throws: `ConfigurationError.invalidValue`.
  func check(_ name: String) throws {
    try require(
      path == nil || mix.isEmpty, "\(name).mix", found: "both path and mix",
      expected: "one of them",
      advice: "--set \(name).mix=[] or --set \(name).path=null takes one away")
    for (index, part) in mix.enumerated() {
      try require(
        !part.path.isEmpty, "\(name).mix[\(index)].path", found: "nothing",
        expected: DataSourceWords.kinds, advice: "each source of a mixture has a path")
    }
    try require(
      mix.count <= SourceMixture.partLimit, "\(name).mix", found: "\(mix.count) sources",
      expected: "at most \(SourceMixture.partLimit)")
  }
}

extension HeldOutConfiguration {
  /// Where held-out pairs lie, with a sample for each image; nil without a path.
  public var location: SourceLocation? {
    path.map { SourceLocation(path: $0, imageFolder: imageFolder, isHeldOut: true) }
  }
}

/// Words that several messages share.
enum DataSourceWords {
  static let kinds = "a list, a folder of images, or shards"
}
