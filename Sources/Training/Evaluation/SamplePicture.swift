/// A held-out picture and what is said of it, for people to look at.
struct SamplePicture {
  /// As the list has it.
  var path: String
  /// The first of its captions.
  var truth: [String]
  /// The model's own words; nil where it does not learn to speak.
  var caption: String?
  /// The picture itself, made small; nil where it was not asked for or could not be read.
  var encoded: EncodedPicture?
  /// Why it could not be read.
  var problem: String?

  /// For people.
  var line: String {
    let truth = SamplePicture.quoted(truth.first ?? "")
    let words =
      caption.map { "says \(SamplePicture.quoted($0)); truth \(truth)" } ?? "truth \(truth)"
    return "\(path): \(words)" + (problem.map { " (cannot be shown: \($0))" } ?? "")
  }

  /// The beginning, since a model that has learned little goes on and on.
  private static func quoted(_ text: String) -> String {
    text.count > 72 ? "\"\(text.prefix(71))…\"" : "\"\(text)\""
  }
}

/// A PNG file with its size in pixels.
struct EncodedPicture {
  var width: Int
  var height: Int
  var png: [UInt8]
}
