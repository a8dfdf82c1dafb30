import Reporting

/// All that a sheet can show; each part may be missing.
struct Results {
  let captions: JudgedCaptions?
  let rankings: Rankings?
  let groups: [HardGroup]?
  let groupSize: Int
  let answers: [QuestionAnswer]?

  var captionScores: CaptionScores? { captions?.scores }
  var groupScores: GroupScores? { groups.map { GroupScores($0, groupSize: groupSize) } }
  var questionScores: QuestionScores? { answers.map(QuestionScores.init) }

  /// Of the images, those that find one of their own texts first among all.
  var foundTexts: Share? {
    rankings.map { rankings in
      Share(count: rankings.images.count(where: \.findsTruth), total: rankings.images.count)
    }
  }

  /// What is known of one held-out image.
  struct Scene {
    let image: String
    var truth: String
    var caption: JudgedCaptions.Item?
    var ranking: ImageRanking?
    var answers: [QuestionAnswer] = []
  }

  /// The held-out images, in the order of the first of the files that is given.
  var scenes: [Scene] {
    var found = captions?.items.map { Scene(image: $0.image, truth: $0.truth, caption: $0) } ?? []
    if found.isEmpty {
      found = rankings?.images.map { Scene(image: $0.image, truth: $0.truth.first ?? "") } ?? []
    }
    if found.isEmpty {
      var seen = Set<String>()
      found = (answers ?? []).map(\.image).filter { seen.insert($0).inserted }
        .map { Scene(image: $0, truth: "") }
    }
    var rankingIndex = ImageIndex<ImageRanking>()
    for ranking in rankings?.images ?? [] { rankingIndex.add(ranking, at: ranking.image) }
    var answerIndex = ImageIndex<QuestionAnswer>()
    for answer in answers ?? [] { answerIndex.add(answer, at: answer.image) }
    return found.map { scene in
      var scene = scene
      scene.ranking = rankingIndex.values(at: scene.image).first
      scene.answers = answerIndex.values(at: scene.image)
      return scene
    }
  }
}
