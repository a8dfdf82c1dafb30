/// The pairs of a source that come again: images of the same bytes with the same captions.
struct RepeatedPairs {
  private let source: any CaptionSource
  /// The first image of each pair, by a hash of 64 bits.
  private var first: [Int: Int] = [:]
  private var finding = SourceFinding(.repeatedPairs)

  init(of source: any CaptionSource) { self.source = source }

  mutating func add(_ image: Int, _ digest: UInt64, _ captions: [String]) {
    var hash = Hasher()
    hash.combine(digest)
    hash.combine(captions)
    let key = hash.finalize()
    guard let earlier = first[key] else {
      first[key] = image
      return
    }
    finding.add("\(source.path(ofImage: image)): as \(source.path(ofImage: earlier))")
  }

  var findings: [SourceFinding] { finding.count > 0 ? [finding] : [] }
}

extension DatasetReport {
  /// Adds to the findings which images training has too, byte for byte, under whatever name.
  /// - Parameter training: The reports of what is trained on.
  public mutating func findImages(of training: [DatasetReport]) {
    let held = Set(digests)
    var trained: [UInt64: (source: any CaptionSource, image: Int)] = [:]
    for report in training {
      for case (let image, let digest?) in report.digests.enumerated()
      where held.contains(digest) && trained[digest] == nil {
        trained[digest] = (report.source, image)
      }
    }
    var finding = SourceFinding(.alsoTrained)
    for case (let image, let digest?) in digests.enumerated() {
      guard let other = trained[digest] else { continue }
      finding.add("\(source.path(ofImage: image)): as \(other.source.path(ofImage: other.image))")
    }
    if finding.count > 0 { findings.append(finding) }
  }
}
