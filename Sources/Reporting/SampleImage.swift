/// A held-out image and its captions, for people to look at.
package struct SampleImage {
  /// As the list has it.
  package var path: String
  /// The first of its captions.
  package var truth: [String]
  /// What the model generates; nil where it learns no generation.
  package var caption: String?
  /// The image itself, made small; nil where it was not asked for or could not be read.
  package var encoded: EncodedImage?
  /// Why it could not be read.
  package var problem: String?

  package init(path: String, truth: [String]) {
    self.path = path
    self.truth = truth
  }

  /// For people.
  package var line: String {
    let truth = SampleImage.quoted(truth.first ?? "")
    let words =
      caption.map { "generated \(SampleImage.quoted($0)); truth \(truth)" } ?? "truth \(truth)"
    return "\(path): \(words)" + (problem.map { " (cannot be shown: \($0))" } ?? "")
  }

  /// The beginning, since a model that has learned little goes on and on.
  private static func quoted(_ text: String) -> String {
    text.count > 72 ? "\"\(text.prefix(71))…\"" : "\"\(text)\""
  }
}

/// A PNG file with its size in pixels.
package struct EncodedImage {
  package var width: Int
  package var height: Int
  package var png: [UInt8]

  package init(width: Int, height: Int, png: [UInt8]) {
    self.width = width
    self.height = height
    self.png = png
  }
}
