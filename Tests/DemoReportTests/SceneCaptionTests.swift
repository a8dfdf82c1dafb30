import Testing

@testable import demo_report

struct SceneCaptionTests {
  typealias Thing = SceneCaption.Thing

  private static let cat = Thing(noun: Noun(singular: "cat"))
  private static let bigDog = Thing(noun: Noun(singular: "dog"), size: .big)
  private static let smallOwl = Thing(noun: Noun(singular: "owl"), size: .small)

  @Test(arguments: [
    "a cat left of a big dog on red", "a big dog right of a cat on red",
    "a cat to the left of a big dog on red", "a big dog to the right of a cat on red",
    "a red picture of a cat left of a big dog", "a red picture of a big dog to the right of a cat",
    " A cat  left of a BIG dog on red . ", "a cat left of a big dog on red.",
  ])
  func pairsSideBySide(_ text: String) {
    let expected = SceneCaption(
      kind: .pair, things: [Self.cat, Self.bigDog], arrangement: .leftToRight, number: 1,
      colour: "red")
    #expect(SceneCaption(text) == expected)
  }

  @Test(arguments: [
    "a small owl above a cat on orange", "a cat below a small owl on orange",
    "a small owl over a cat on orange", "a cat under a small owl on orange",
    "an orange picture of a cat under a small owl", "an orange picture of a small owl above a cat",
  ])
  func pairsOnTopOfEachOther(_ text: String) {
    let expected = SceneCaption(
      kind: .pair, things: [Self.smallOwl, Self.cat], arrangement: .topToBottom, number: 1,
      colour: "orange")
    #expect(SceneCaption(text) == expected)
  }

  @Test(arguments: [
    (
      "a cat, a big dog and a small owl from left to right on blue",
      SceneCaption.Arrangement.leftToRight
    ),
    ("a small owl, a big dog and a cat from right to left on blue", .leftToRight),
    ("from left to right a cat, a big dog and a small owl on blue", .leftToRight),
    ("a cat , a big dog and a small owl from left to right on blue", .leftToRight),
    ("a cat,a big dog and a small owl from top to bottom on blue", .topToBottom),
    ("a small owl, a big dog and a cat from bottom to top on blue", .topToBottom),
    ("from bottom to top a small owl , a big dog and a cat on blue", .topToBottom),
  ])
  func rows(_ text: String, _ arrangement: SceneCaption.Arrangement) {
    let expected = SceneCaption(
      kind: .row, things: [Self.cat, Self.bigDog, Self.smallOwl], arrangement: arrangement,
      number: 1, colour: "blue")
    #expect(SceneCaption(text) == expected)
  }

  @Test(arguments: [
    ("two buses on gray", "bus", 2), ("there are three butterflies on gray", "butterfly", 3),
    ("four horses on gray", "horse", 4), ("two peaches on gray", "peach", 2),
    ("two cookies on gray", "cookie", 2), ("three tomatoes on gray", "tomato", 3),
  ])
  func counts(_ text: String, _ noun: String, _ number: Int) {
    let expected = SceneCaption(
      kind: .count, things: [Thing(noun: Noun(singular: noun))], arrangement: nil, number: number,
      colour: "gray")
    #expect(SceneCaption(text) == expected)
  }

  @Test(arguments: ["a small owl on white", "there is a small owl on white"])
  func singleThings(_ text: String) {
    let expected = SceneCaption(
      kind: .one, things: [Self.smallOwl], arrangement: nil, number: 1, colour: "white")
    #expect(SceneCaption(text) == expected)
    #expect(SceneCaption("an owl on white")?.things == [Thing(noun: Noun(singular: "owl"))])
  }

  @Test(arguments: [
    "", ".", ",", "a", "a cat", "a cat on", "a cat on pink", "cat on red", "a cat on red red",
    "a cat left of a dog", "a cat left a dog on red", "a cat left of dog on red",
    "a cat left of a dog on red on red", "a red picture of a cat", "a picture of a cat above a dog",
    "a big small cat on red", "a big on red", "a red on red", "a cat and a dog on red",
    "a cat, a dog and a key on red", "a cat a dog and a key from left to right on red",
    "a cat, a dog and a key from left to bottom on red",
    "from left to right a cat, a dog and a key from left to right on red",
    "a cat, a dog, a key and a fox from left to right on red", "five cats on red",
    "two cat on red", "two big cats on red", "there are a cat on red", "there is two cats on red",
    "two cats", "one cat on red", "a cat left of a dog above a key on red",
  ])
  func brokenOnesFollowNoForm(_ text: String) {
    #expect(SceneCaption(text) == nil)
  }

  @Test func agreementLeavesSizesAndColoursOut() throws {
    let truth = try #require(SceneCaption("a cat left of a big dog on red"))
    func agrees(_ text: String) -> Bool { SceneCaption(text)?.agrees(with: truth) ?? false }
    #expect(agrees("a dog to the right of a small cat on blue"))
    #expect(!agrees("a dog left of a cat on red"))
    #expect(!agrees("a cat above a big dog on red"))
    #expect(!agrees("a cat on red"))
  }
}
