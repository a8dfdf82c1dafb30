/// Groups of the hard list: the images, their texts, and what the model matched.
extension Sheet {
  func groups() throws -> Markup {
    guard let all = results.groups else { return "" }
    let shown = all.spread(groupCount)
    guard !shown.isEmpty else { return "" }
    let isReranked = all.contains(where: \.isReranked)
    return """
      <section>
      <h2>Hard groups</h2>
      <p>\(shown.count) of \(all.count) groups whose images differ in one word: the order, the relation, \
      a size or the colour. The model chose among the images of the group for each text, and among the \
      texts for each image, by \(isReranked ? "match logit and cosine" : "cosine").</p>
      <div class="groups">
      \(try shown.map { try group($0, by: isReranked ? .score : .cosine) })</div>
      </section>

      """
  }

  private func group(_ group: HardGroup, by measure: HardGroup.Measure) throws -> Markup {
    let texts = group.chosenTexts(by: measure)
    let chosen = group.chosenImages(by: measure)
    let figures = try group.members.enumerated().map { place, member -> Markup in
      """
      <figure>\(try image(member.image, words: member.text))
      <figcaption><b>\(Self.letter(place))</b> \(Self.choice("text", texts[place], for: place))\
      </figcaption></figure>

      """
    }
    let lines = group.members.enumerated().map { place, member -> Markup in
      """
      <tr><th scope="row">\(Self.letter(place))</th><td>\(member.text)</td>\
      <td>\(Self.choice("image", chosen[place], for: place))</td></tr>

      """
    }
    return """
      <article class="group">
      <div class="images">
      \(figures)</div>
      <table><tbody>
      \(lines)</tbody></table>
      </article>

      """
  }

  /// Such as "✗ image B".
  private static func choice(_ name: String, _ chosen: Int?, for place: Int) -> Markup {
    let words = chosen.map { "\(name) \(letter($0))" } ?? "no \(name)"
    return "<span class=\"choice\">\(sign(chosen == place)) \(words)</span>"
  }

  /// A, B, … Z, then numbers.
  private static func letter(_ place: Int) -> String {
    place < 26 ? String(UnicodeScalar(UInt8(ascii: "A") + UInt8(place))) : "\(place + 1)"
  }
}
