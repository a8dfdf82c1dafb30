/// What a caption says of a scene, whichever way it is worded: "a cat right of a dog on red" and
/// "a red picture of a dog to the left of a cat" are equal.
struct SceneCaption: Equatable {
  enum Kind: String, CaseIterable {
    /// Two things in a relation.
    case pair
    /// Three things in a line.
    case row
    /// Two to four of one thing.
    case count
    /// One thing.
    case one
  }

  enum Size: String, CaseIterable {
    case small, big
  }

  /// The line that the things of a pair or a row stand on.
  enum Arrangement {
    case leftToRight
    case topToBottom
  }

  struct Thing: Hashable {
    let noun: Noun
    var size: Size?
  }

  let kind: Kind
  /// From left to right or from the top down; a single one where the kind is `count` or `one`.
  let things: [Thing]
  /// Of pairs and rows.
  var arrangement: Arrangement?
  /// How many there are of the thing that is counted; 1 with all other kinds.
  var number = 1
  let colour: String

  var nouns: [Noun] { things.map(\.noun) }

  /// Whether both tell of the same things in the same places or number. Sizes and colours may differ.
  func agrees(with other: SceneCaption) -> Bool {
    kind == other.kind && nouns == other.nouns && arrangement == other.arrangement
      && number == other.number
  }

  static let colours: Set = [
    "red", "blue", "green", "yellow", "white", "gray", "purple", "orange",
  ]
  static let numbers = [("two", 2), ("three", 3), ("four", 4)]
}
