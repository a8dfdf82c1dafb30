import LanguageModels

extension GenerationOptions {
  /// What the authors of BLIP-2 generate with: 5 beams, one new token at least.
  public static func original(endIds: [Int32]) -> GenerationOptions {
    var options = GenerationOptions(endIds: endIds)
    (options.method, options.minimumNewTokens) = (.beams(5), 1)
    return options
  }

  /// The decoding that a golden's name stands for, such as `beam3_length_penalty_minus1`.
  public mutating func read(_ name: String) {
    minimumNewTokens = 0
    let words = name.replacingOccurrences(of: "minus", with: "-").split(separator: "_")
    method = .greedy
    if let beams = words.first.flatMap({ Int($0.replacingOccurrences(of: "beam", with: "")) }) {
      method = .beams(beams)
    }
    if let last = words.last.flatMap({ Float($0) }) {
      if name.contains("length_penalty") { lengthPenalty = last }
      if name.contains("repetition") { repetitionPenalty = last }
      if name.contains("min_new_tokens") { minimumNewTokens = Int(last) }
    }
    if let word = words.first(where: { $0.hasPrefix("return") }), let count = Int(word.dropFirst(6))
    {
      returned = count
    }
  }
}
