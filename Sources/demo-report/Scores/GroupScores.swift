/// How often images and texts that differ in one word find each other, within their groups: after
/// Winoground (Thrush et al. 2022), with groups of any size.
struct GroupScores: Encodable, Equatable {
  /// By cosine alone or with the match logit.
  struct Shares: Encodable, Equatable {
    /// Images whose own text is before all others of the group.
    var imageToText = Share()
    /// Texts whose own image is.
    var textToImage = Share()
    /// Groups with nothing wrong.
    var group = Share()
  }

  let groups: Int
  let groupSize: Int
  /// What guessing reaches with each image and each text, in percent.
  let chance: Double
  let cosine: Shares
  /// Nil, and no key, where nothing was ranked again.
  let reranked: Shares?

  init(_ groups: [HardGroup], groupSize: Int) {
    self.groups = groups.count
    self.groupSize = groupSize
    chance = 100 / Double(groupSize)
    cosine = Self.shares(groups, by: .cosine)
    let isReranked = groups.contains(where: \.isReranked)
    reranked = isReranked ? Self.shares(groups, by: .score) : nil
  }

  private static func shares(_ groups: [HardGroup], by measure: HardGroup.Measure) -> Shares {
    var shares = Shares()
    for group in groups {
      let texts = group.chosenTexts(by: measure).enumerated().map { $0 == $1 }
      let images = group.chosenImages(by: measure).enumerated().map { $0 == $1 }
      for isRight in texts { shares.imageToText.add(isRight) }
      for isRight in images { shares.textToImage.add(isRight) }
      shares.group.add((texts + images).allSatisfy { $0 })
    }
    return shares
  }

  var table: ScoreTable {
    var table = ScoreTable(
      title: "Hard list, \(groups) groups of \(groupSize)",
      columns: [.init("image → text"), .init("text → image"), .init("whole groups")])
    for (name, shares) in [("cosine", cosine as Shares?), ("re-ranked", reranked)] {
      guard let shares else { continue }
      table.add(name, shares.imageToText.text, shares.textToImage.text, shares.group.text)
    }
    table.add("chance", Share.text(chance), Share.text(chance), "")
    return table
  }
}
