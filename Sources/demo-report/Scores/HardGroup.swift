/// Images that differ in one word, each with its text and what the model made of them.
struct HardGroup {
  enum Measure { case cosine, score }

  struct Member {
    let image: String
    let text: String
    /// Of the image's ranking those of the group's texts that are in it, by place in the group.
    var texts: [Int: any Candidate] = [:]
    /// Of the text's ranking those of the group's images that are in it.
    var images: [Int: any Candidate] = [:]
  }

  var members: [Member]

  var isReranked: Bool {
    members.contains { $0.texts.values.contains { $0.score != nil } }
  }

  /// For each image the place of the text that is before all others; nil where none is.
  func chosenTexts(by measure: Measure) -> [Int?] {
    members.map { Self.best($0.texts, by: measure) }
  }

  /// For each text the place of the image that is before all others; nil where none is.
  func chosenImages(by measure: Measure) -> [Int?] {
    members.map { Self.best($0.images, by: measure) }
  }

  /// What is not in the ranking comes after all that is; the first of several equal ones is none.
  private static func best(_ candidates: [Int: any Candidate], by measure: Measure) -> Int? {
    let values = candidates.compactMap { place, candidate in
      (measure == .cosine ? candidate.cosine : candidate.score).map { (place: place, value: $0) }
    }
    guard let best = values.max(by: { $0.value < $1.value }) else { return nil }
    return values.count { $0.value == best.value } == 1 ? best.place : nil
  }
}

extension HardGroup {
  /// Consecutive groups of a list.
  /// - Parameters:
  ///   - list: The list file that gives the order; nil for the order of the answers' images.
  ///   - size: Images of a group.
  /// - Throws: ``InputError``, also for a list that does not divide into groups and an image of
  ///   which the answers say nothing.
  static func groups(_ rankings: Rankings, list: String?, size: Int) throws -> [HardGroup] {
    let rankingsInOrder = try inOrder(of: list, rankings)
    guard !rankingsInOrder.isEmpty, rankingsInOrder.count.isMultiple(of: size) else {
      throw InputError(
        file: list ?? rankings.file,
        problem: "expected groups of \(size) images, found \(rankingsInOrder.count) images")
    }
    let byText = Dictionary(rankings.texts.map { ($0.text, $0) }) { first, _ in first }
    return try stride(from: 0, to: rankingsInOrder.count, by: size).map { start in
      try group(Array(rankingsInOrder[start..<start + size]), byText, rankings)
    }
  }

  private static func inOrder(of list: String?, _ rankings: Rankings) throws -> [ImageRanking] {
    guard let list else { return rankings.images }
    var index = ImageIndex<ImageRanking>()
    for ranking in rankings.images { index.add(ranking, at: ranking.image) }
    return try InputFile(path: list).records(ListedImage.self).map { listed in
      guard let ranking = index.values(at: listed.record.image).first else {
        throw listed.error(
          field: "image", "\(listed.record.image) has no answer in \(rankings.file)")
      }
      return ranking
    }
  }

  private static func group(
    _ images: [ImageRanking], _ byText: [String: TextRanking], _ rankings: Rankings
  ) throws -> HardGroup {
    let texts = images.map { $0.truth.first ?? "" }
    let paths = images.map(\.image)
    return HardGroup(
      members: try zip(images, texts).map { image, text in
        guard let ranking = byText[text] else {
          throw InputError(
            file: rankings.file, field: "text", problem: "there is no line for \"\(text)\"")
        }
        return Member(
          image: image.image, text: text, texts: places(of: image.ranked, among: texts),
          images: places(of: ranking.ranked, among: paths))
      })
  }

  private static func places(
    of ranked: [some Candidate], among names: [String]
  ) -> [Int: any Candidate] {
    let byName = Dictionary(ranked.map { ($0.name, $0) }) { first, _ in first }
    var found: [Int: any Candidate] = [:]
    for (place, name) in names.enumerated() { found[place] = byName[name] }
    return found
  }
}
