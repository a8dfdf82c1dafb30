/// Answers to questions in the spelling in which the public VQA evaluation compares them.
enum AnswerText {
  /// The whole treatment, which a model's answer gets: white space, punctuation, then small letters,
  /// numbers for number words, no articles, and apostrophes where contractions lack them.
  static func normalized(_ answer: String) -> String {
    let plain = String(
      String.UnicodeScalarView(
        trimmed(answer.unicodeScalars.map { $0 == "\n" || $0 == "\t" ? " " : $0 })))
    let words = withoutPunctuation(plain).lowercased().unicodeScalars
      .split(whereSeparator: \.properties.isWhitespace)
      .map { word in numbers[String(word)] ?? String(word) }
      .filter { !articles.contains($0) }
    return words.map { contractions[$0] ?? $0 }.joined(separator: " ")
  }

  /// What people's answers get: each mark of punctuation becomes a space, or nothing where it stands
  /// beside a space or a number has a comma in it; periods go unless a digit follows.
  ///
  /// As in the original a mark beside a space anywhere counts for all marks of its kind, and the
  /// first 32 periods go, no more.
  static func withoutPunctuation(_ answer: String) -> String {
    let given = Array(answer.unicodeScalars)
    let hasNumberWithComma = given.indices.contains { index in
      given[index] == "," && index > 0 && index + 1 < given.count
        && isDigit(given[index - 1]) && isDigit(given[index + 1])
    }
    var removed = Set<Unicode.Scalar>()
    for (index, scalar) in given.enumerated() where marks.contains(scalar) {
      let isBesideSpace =
        index > 0 && given[index - 1] == " " || index + 1 < given.count && given[index + 1] == " "
      if hasNumberWithComma || isBesideSpace { removed.insert(scalar) }
    }
    let spaced = given.compactMap { scalar -> Unicode.Scalar? in
      guard marks.contains(scalar) else { return scalar }
      return removed.contains(scalar) ? nil : " "
    }
    var result = String.UnicodeScalarView()
    var periods = 0
    for (index, scalar) in spaced.enumerated() {
      let isPeriod =
        scalar == "." && !(index + 1 < spaced.count && isDigit(spaced[index + 1]))
      if isPeriod && periods < 32 { periods += 1 } else { result.append(scalar) }
    }
    return String(result)
  }

  private static func trimmed(_ scalars: [Unicode.Scalar]) -> ArraySlice<Unicode.Scalar> {
    let start = scalars.firstIndex { !$0.properties.isWhitespace } ?? scalars.endIndex
    let end = scalars.lastIndex { !$0.properties.isWhitespace } ?? start - 1
    return scalars[start..<end + 1]
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .decimalNumber
  }

  private static let marks = Set(";/[]\"{}()=+\\_-><@`,?!".unicodeScalars)
  private static let articles: Set = ["a", "an", "the"]
  private static let numbers = [
    "none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
  ]

  /// By their spellings in which one apostrophe is missing.
  private static let contractions: [String: String] = {
    let complete = """
      ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't \
      haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't \
      mightn't've might've mustn't must've needn't not've o'clock oughtn't 'ow's'at shan't she'd've \
      should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've \
      someone'll someone's something'd something'd've something'll that's there'd there'd've \
      there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't \
      what'll what're what's what've when's where'd where's where've who'd who'd've who'll who's \
      who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll y'all'd've you'd \
      you'd've you'll you're you've
      """
    // The table of the standard has this one the other way round.
    var contractions = ["somebody'd": "somebodyd"]
    for word in complete.split(separator: " ").map(String.init) {
      for place in word.indices where word[place] == "'" {
        var lacking = word
        lacking.remove(at: place)
        contractions[lacking] = word
      }
    }
    return contractions
  }()
}
