/// The name of a kind of object, known by its plural: "a bus" and "two buses" name the same, and to
/// find the singular of "horses" and "buses" one would have to know both words.
struct Noun: Hashable, Comparable {
  let plural: String

  init(plural: String) { self.plural = plural }

  /// By the rule that `Data/make-demo-scenes.py` makes plurals by.
  init(singular: String) {
    if let irregular = Self.irregular[singular] {
      plural = irregular
    } else {
      plural = singular + (Self.hissing.contains(where: singular.hasSuffix) ? "es" : "s")
    }
  }

  static func < (first: Noun, second: Noun) -> Bool { first.plural < second.plural }

  private static let irregular = [
    "butterfly": "butterflies", "strawberry": "strawberries", "wolf": "wolves",
  ]
  private static let hissing = ["s", "x", "sh", "ch", "to"]
}
