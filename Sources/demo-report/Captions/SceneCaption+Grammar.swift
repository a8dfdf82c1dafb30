/// The forms that `Data/make-demo-scenes.py` words its captions in.
extension SceneCaption {
  /// - Returns: nil where the text follows none of the forms to its end.
  init?(_ text: String) {
    let words = CaptionWords(text)
    let forms: [(inout CaptionWords) -> SceneCaption?] = [
      Self.pair, Self.imageOfPair, Self.row, Self.rowAfterOrder, Self.count, Self.one,
    ]
    for form in forms {
      var rest = words
      if let caption = form(&rest), rest.isEmpty {
        self = caption
        return
      }
    }
    return nil
  }

  /// "a cat left of a big dog on red".
  private static func pair(_ words: inout CaptionWords) -> SceneCaption? {
    guard let (things, arrangement) = relatedThings(&words), let colour = background(&words) else {
      return nil
    }
    return SceneCaption(kind: .pair, things: things, arrangement: arrangement, colour: colour)
  }

  /// "a red picture of a cat left of a big dog".
  private static func imageOfPair(_ words: inout CaptionWords) -> SceneCaption? {
    guard words.skipArticle(), let colour = words.next(in: colours), words.skip("picture of"),
      let (things, arrangement) = relatedThings(&words)
    else { return nil }
    return SceneCaption(kind: .pair, things: things, arrangement: arrangement, colour: colour)
  }

  /// "a cat, a dog and a key from left to right on red".
  private static func row(_ words: inout CaptionWords) -> SceneCaption? {
    guard let things = threeThings(&words), let order = words.next(of: orders),
      let colour = background(&words)
    else { return nil }
    return lined(things, order, colour)
  }

  /// "from left to right a cat, a dog and a key on red".
  private static func rowAfterOrder(_ words: inout CaptionWords) -> SceneCaption? {
    guard let order = words.next(of: orders), let things = threeThings(&words),
      let colour = background(&words)
    else { return nil }
    return lined(things, order, colour)
  }

  /// "two dogs on red", "there are two dogs on red".
  private static func count(_ words: inout CaptionWords) -> SceneCaption? {
    _ = words.skip("there are")
    guard let number = words.next(of: numbers), let noun = words.noun(), noun.hasSuffix("s"),
      let colour = background(&words)
    else { return nil }
    let thing = Thing(noun: Noun(plural: noun))
    return SceneCaption(kind: .count, things: [thing], number: number, colour: colour)
  }

  /// "a small dog on red", "there is a small dog on red".
  private static func one(_ words: inout CaptionWords) -> SceneCaption? {
    _ = words.skip("there is")
    guard let thing = words.thing(), let colour = background(&words) else { return nil }
    return SceneCaption(kind: .one, things: [thing], colour: colour)
  }

  /// Two things with a relation between them, turned so that the first is to the left or on top.
  private static func relatedThings(_ words: inout CaptionWords) -> ([Thing], Arrangement)? {
    guard let first = words.thing(), let line = words.next(of: relations),
      let second = words.thing()
    else { return nil }
    return (line.isBackward ? [second, first] : [first, second], line.arrangement)
  }

  private static func threeThings(_ words: inout CaptionWords) -> [Thing]? {
    guard let first = words.thing(), words.skip(","), let second = words.thing(), words.skip("and"),
      let third = words.thing()
    else { return nil }
    return [first, second, third]
  }

  private static func background(_ words: inout CaptionWords) -> String? {
    words.skip("on") ? words.next(in: colours) : nil
  }

  private static func lined(_ things: [Thing], _ order: Line, _ colour: String) -> SceneCaption {
    SceneCaption(
      kind: .row, things: order.isBackward ? things.reversed() : things,
      arrangement: order.arrangement, colour: colour)
  }

  /// A direction along a line.
  private struct Line {
    let arrangement: Arrangement
    /// From right to left or from the bottom up.
    var isBackward = false
  }

  private static let relations = [
    ("left of", Line(arrangement: .leftToRight)),
    ("to the left of", Line(arrangement: .leftToRight)),
    ("right of", Line(arrangement: .leftToRight, isBackward: true)),
    ("to the right of", Line(arrangement: .leftToRight, isBackward: true)),
    ("above", Line(arrangement: .topToBottom)),
    ("over", Line(arrangement: .topToBottom)),
    ("below", Line(arrangement: .topToBottom, isBackward: true)),
    ("under", Line(arrangement: .topToBottom, isBackward: true)),
  ]
  private static let orders = [
    ("from left to right", Line(arrangement: .leftToRight)),
    ("from right to left", Line(arrangement: .leftToRight, isBackward: true)),
    ("from top to bottom", Line(arrangement: .topToBottom)),
    ("from bottom to top", Line(arrangement: .topToBottom, isBackward: true)),
  ]
}
