/// What a metric is called above its panel.
enum MetricTitle {
  private static let names = [
    "itc": "ITC loss (contrast)", "itm": "ITM loss (matching)", "itg": "ITG loss (generation)",
    "lm": "LM loss", "cider": "CIDEr", "rougeL": "ROUGE-L", "bleu4": "BLEU-4",
    "total": "Total loss", "learningRate": "Learning rate", "gradientNorm": "Gradient norm",
    "samplesPerSecond": "Samples per second", "epoch": "Epoch", "seconds": "Time in seconds",
    "skippedImages": "Skipped images", "skippedSteps": "Skipped steps",
    "stepSeconds": "Seconds a step", "dataSeconds": "Seconds a step waited for data",
    "validationSeconds": "Seconds of validation", "saveSeconds": "Seconds of saving",
    "peakMemory": "Peak memory in bytes",
  ]
  private static let scores = [
    "cosine": "by cosine", "reranked": "re-ranked by ITM", "chance": "by chance",
  ]
  private static let directions = [
    "imageToText": "Image → text", "textToImage": "Text → image",
  ]

  /// Of a panel: held-out values and chance are told by how they are drawn.
  static func of(_ parts: [MetricsPlot.Part]) -> String {
    let base = of(parts[0].metric)
    let kinds = Set(parts.dropFirst().map(\.kind))
    return base + (kinds.contains(.heldOut) ? " – dashed: held out" : "")
      + (kinds.contains(.chance) ? " – dotted: chance" : "")
  }

  /// Whether it is a share of all, which begins at nothing.
  static func isShare(_ metric: String) -> Bool {
    metric.hasPrefix("validation/")
      && (metric.contains(".imageToText.r") || metric.contains(".textToImage.r"))
  }

  /// - Parameter metric: A name such as `train/itc`; what is not known stays as it is.
  static func of(_ metric: String) -> String {
    let parts = metric.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return metric }
    let isHeldOut = parts[0] == "validation"
    if let name = names[parts[1]] { return name + (isHeldOut ? ", held out" : "") }
    let words = parts[1].split(separator: ".").map(String.init)
    if words.count == 3, let score = scores[words[0]], let direction = directions[words[1]],
      words[2].hasPrefix("r"), let rank = Int(words[2].dropFirst())
    {
      return "\(direction) R@\(rank) in %, \(score)"
    }
    return metric
  }
}
