/// The held-out images, a card each.
extension Sheet {
  func scenes() throws -> Markup {
    let all = results.scenes
    let shown = all.spread(count)
    guard !shown.isEmpty else { return "" }
    let amount =
      shown.count == all.count
      ? "All \(all.count) images"
      : "\(shown.count) of \(all.count) images, at even distances through the list and not chosen"
    return """
      <section>
      <h2>Held-out scenes</h2>
      <p>\(amount). A caption is right if it tells of the same things in the same places or number; \
      wrong sizes and colours are noted below it.</p>
      <div class="cards">
      \(try shown.map(card))</div>
      </section>

      """
  }

  private func card(_ scene: Results.Scene) throws -> Markup {
    var lines: [Markup] = []
    if let caption = scene.caption {
      lines.append(
        line(
          "caption", caption.judgement.isRight, caption.text, note: caption.judgement.remark))
    }
    if let ranking = scene.ranking {
      let best = ranking.ranked.first?.text ?? "nothing"
      lines.append(
        line("best of all texts", ranking.findsTruth, ranking.findsTruth ? "found" : best))
    }
    for answer in scene.answers.prefix(2) {
      lines.append(
        line(
          answer.question ?? "answer", answer.isRight, answer.text,
          note: answer.isRight ? nil : "truth: \(answer.truth.first ?? "")"))
    }
    return """
      <article class="card">
      \(try image(scene.image, words: scene.truth))
      <div>
      \(scene.truth.isEmpty ? nil : "<p class=\"truth\">\(scene.truth)</p>" as Markup)
      <dl>
      \(lines)</dl>
      </div>
      </article>

      """
  }

  private func line(_ name: String, _ isRight: Bool, _ text: String, note: String? = nil) -> Markup
  {
    let note: Markup? = note.map { " <span class=\"note\">\($0)</span>" }
    return """
      <dt>\(name)</dt><dd>\(Self.sign(isRight)) <span>\(text.isEmpty ? "(nothing)" : text)</span>\(note)</dd>

      """
  }

  /// A colour and a sign, and a word for those who hear the page.
  static func sign(_ isRight: Bool) -> Markup {
    isRight
      ? "<span class=\"right\" role=\"img\" aria-label=\"right\">✓</span>"
      : "<span class=\"wrong\" role=\"img\" aria-label=\"wrong\">✗</span>"
  }

  /// At twice the 96 pixels that the demo's images have.
  func image(_ path: String, words: String) throws -> Markup {
    "<img src=\"\(try images.address(of: path))\" width=\"192\" height=\"192\" alt=\"\(words)\">"
  }
}
