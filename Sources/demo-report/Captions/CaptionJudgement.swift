/// A generated caption beside the truth.
struct CaptionJudgement {
  let truth: SceneCaption
  /// Nil where the text follows no form of the grammar.
  let said: SceneCaption?
  /// The objects that the text names, each as often as it is named.
  let named: [Noun]

  /// - Parameter vocabulary: The nouns to look for in a text that follows no form, as CHAIR (Rohrbach
  ///   et al. 2018) looks for those of a list in any text.
  init(_ text: String, truth: SceneCaption, vocabulary: Set<Noun>) {
    self.truth = truth
    said = SceneCaption(text)
    named =
      said?.nouns
      ?? CaptionWords(text).all.compactMap { word in
        [Noun(singular: word), Noun(plural: word)].first(where: vocabulary.contains)
      }
  }

  /// The same kind, the same things in the same places, as many of them.
  var isRight: Bool { said?.agrees(with: truth) ?? false }

  var hasRightObjects: Bool { said.map { $0.nouns.sorted() == truth.nouns.sorted() } ?? false }

  var hasRightColour: Bool { said?.colour == truth.colour }

  /// Whether each thing has its size; only to be asked where the objects are right.
  var hasRightSizes: Bool { said.map { Set($0.things) == Set(truth.things) } ?? false }

  /// What is named and not to be seen.
  var hallucinated: [Noun] { named.filter { !truth.nouns.contains($0) } }

  /// A pair of the right things.
  var isPairOfRightObjects: Bool {
    truth.kind == .pair && said?.kind == .pair && hasRightObjects
  }

  /// Right things on the right line, the wrong way round.
  var isSwapped: Bool {
    isPairOfRightObjects && !isRight && said?.arrangement == truth.arrangement
  }

  /// Right things on the other line: above for left of.
  var isTurned: Bool { isPairOfRightObjects && said?.arrangement != truth.arrangement }

  /// The right thing, counted: "a dog" counts one.
  var isCountOfRightObject: Bool {
    truth.kind == .count && (said?.kind == .count || said?.kind == .one) && hasRightObjects
  }

  var hasWrongNumber: Bool { isCountOfRightObject && said?.number != truth.number }

  /// The first thing that is wrong, in a few words; nil where nothing is.
  var remark: String? {
    guard said != nil else { return "no known form" }
    if !hallucinated.isEmpty { return "names what is not there" }
    if hasWrongNumber { return "wrong number" }
    if isSwapped { return "swapped" }
    if isTurned { return "wrong relation" }
    if !hasRightObjects { return "not the objects" }
    if !isRight { return truth.kind == said?.kind ? "wrong order" : "another kind of scene" }
    if !hasRightColour { return hasRightSizes ? "wrong colour" : "wrong colour and size" }
    return hasRightSizes ? nil : "wrong size"
  }
}
