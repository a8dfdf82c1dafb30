/// How many captions tell what is to be seen, and the ways in which the others fail.
struct CaptionScores: Encodable, Equatable {
  typealias Kind = SceneCaption.Kind

  var captions = 0
  /// The same kind, nouns and relation, order or number; sizes and colour are not asked for.
  var right = Share()
  /// The same by kind of the truth, of the kinds that there are.
  var rightByKind: [String: Share] = [:]
  /// All nouns of the truth and no others.
  var objectsRight = Share()
  var colourRight = Share()
  /// Of pairs and single things whose objects are right: others have no sizes.
  var sizesRight = Share()
  /// CHAIR_i: of the objects named, those that are not in the image.
  var hallucinatedObjects = Share()
  /// CHAIR_s: of the captions, those that name such an object.
  var captionsWithHallucination = Share()
  /// Of pairs with the right objects, those told the wrong way round.
  var swappedRelations = Share()
  /// Of the same, those with "above" for "left of" and the like.
  var turnedRelations = Share()
  /// Of what is to be counted and has the right noun.
  var wrongNumbers = Share()
  /// Texts that follow no form of the grammar.
  var unparsed = Share()

  init(_ judgements: [CaptionJudgement]) {
    captions = judgements.count
    for judgement in judgements { add(judgement) }
  }

  private mutating func add(_ caption: CaptionJudgement) {
    right.add(caption.isRight)
    rightByKind[caption.truth.kind.rawValue, default: Share()].add(caption.isRight)
    objectsRight.add(caption.hasRightObjects)
    colourRight.add(caption.hasRightColour)
    let hasSizes = caption.truth.kind == .pair || caption.truth.kind == .one
    if hasSizes && caption.hasRightObjects { sizesRight.add(caption.hasRightSizes) }
    let hallucinated = caption.hallucinated.count
    hallucinatedObjects.count += hallucinated
    hallucinatedObjects.total += caption.named.count
    captionsWithHallucination.add(hallucinated > 0)
    if caption.isPairOfRightObjects {
      swappedRelations.add(caption.isSwapped)
      turnedRelations.add(caption.isTurned)
    }
    if caption.isCountOfRightObject { wrongNumbers.add(caption.hasWrongNumber) }
    unparsed.add(caption.said == nil)
  }

  var table: ScoreTable {
    var table = ScoreTable(
      title: "Captions", columns: [.init("%"), .init("of", alignment: .left)])
    table.add("right", right.text, "\(captions) captions")
    for kind in Kind.allCases {
      guard let share = rightByKind[kind.rawValue] else { continue }
      table.add(kind.rawValue, share.text, "\(share.total)", depth: 1)
    }
    table.add("objects right", objectsRight.text, "\(captions)")
    table.add("colour right", colourRight.text, "\(captions)")
    table.add("sizes right", sizesRight.text, "\(sizesRight.total) with the objects right")
    table.add(
      "hallucinated objects (CHAIR_i)", hallucinatedObjects.text,
      "\(hallucinatedObjects.total) objects named")
    table.add("captions with one (CHAIR_s)", captionsWithHallucination.text, "\(captions)")
    table.add(
      "relation swapped", swappedRelations.text,
      "\(swappedRelations.total) pairs of the right objects")
    table.add("relation of the other axis", turnedRelations.text, "\(turnedRelations.total)")
    table.add("wrong number", wrongNumbers.text, "\(wrongNumbers.total) counts of the right object")
    table.add("follows no form", unparsed.text, "\(captions)")
    return table
  }
}
