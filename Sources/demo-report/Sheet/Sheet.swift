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

  private struct Headline {
    let name: String
    let value: String
    let note: String
  }

  /// The one number of each part, large.
  private var headlines: Markup {
    var lines: [Headline] = []
    if let scores = results.captionScores {
      lines.append(
        Headline(
          name: "captions right", value: scores.right.text,
          note: "objects right \(scores.objectsRight.text)"))
    }
    if let found = results.foundTexts {
      lines.append(
        Headline(name: "texts found", value: found.text, note: "first among all texts"))
    }
    if let scores = results.groupScores {
      let shares = scores.reranked ?? scores.cosine
      lines.append(
        Headline(
          name: "hard texts found", value: shares.imageToText.text,
          note: "chance \(Share.text(scores.chance)), whole groups \(shares.group.text)"))
    }
    if let scores = results.questionScores {
      let usual = scores.mostFrequentByKind ?? scores.overall.mostFrequent
      lines.append(
        Headline(
          name: "answers right", value: scores.overall.accuracy.text,
          note: "most frequent answer \(usual.text)"))
    }
    let tiles = lines.map { line -> Markup in
      """
      <div><dt>\(line.name)</dt><dd>\(line.value)</dd><dd class="note">\(line.note)</dd></div>

      """
    }
    return "<dl class=\"headlines\">\n\(tiles)</dl>\n"
  }

  private var tables: Markup {
    let all = [
      results.captionScores?.table, results.groupScores?.table, results.questionScores?.table,
    ]
    let tables = all.compactMap { $0?.markup }
    return tables.isEmpty ? "" : "<section class=\"tables\">\n\(tables)</section>\n"
  }
}
