/// The page: scores at its head, then images.
struct Sheet {
  let title: String
  let results: Results
  let images: ImageFiles
  /// Held-out images to show.
  let count: Int
  /// Groups of the hard list to show.
  let groupCount: Int

  /// - Throws: ``InputError`` for an image that cannot be read.
  func page() throws -> Markup {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(title)</title>
    <style>
    \(Self.style)</style>
    </head>
    <body>
    <main>
    <header>
    <h1>\(title)</h1>
    <p>Scenes of combinations that training never showed. Scores are percentages.</p>
    </header>
    \(headlines)\(tables)\(try scenes())\(try groups())</main>
    </body>
    </html>

    """
  }

  // MARK: - Scores

  /// The one number of each part, large.
  private var headlines: Markup {
    let tiles = [
      results.captionScores.map { scores in
        tile("captions right", scores.right, note: "objects right \(scores.objectsRight.text)")
      },
      results.foundTexts.map { tile("texts found", $0, note: "first among all texts") },
      results.groupScores.map { scores in
        let shares = scores.reranked ?? scores.cosine
        return tile(
          "hard texts found", shares.imageToText,
          note: "chance \(Share.text(scores.chance)), whole groups \(shares.group.text)")
      },
      results.questionScores.map { scores in
        let usual = scores.mostFrequentByKind ?? scores.overall.mostFrequent
        return tile(
          "answers right", scores.overall.accuracy, note: "most frequent answer \(usual.text)")
      },
    ]
    return "<dl class=\"headlines\">\n\(tiles.compactMap { $0 })</dl>\n"
  }

  private func tile(_ name: String, _ share: Share, note: String) -> Markup {
    """
    <div><dt>\(name)</dt><dd>\(share.text)</dd><dd class="note">\(note)</dd></div>

    """
  }

  private var tables: Markup {
    let all = [
      results.captionScores?.table, results.groupScores?.table, results.questionScores?.table,
    ]
    let tables = all.compactMap { $0?.markup }
    return tables.isEmpty ? "" : "<section class=\"tables\">\n\(tables)</section>\n"
  }
}
