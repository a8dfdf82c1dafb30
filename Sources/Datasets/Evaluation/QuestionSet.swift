import Files
import Foundation

/// Questions about images, with people's answers where they are known: VQA's two files or a list.
///
/// VQA has a file of questions, `{"questions": [{"question_id", "image_id", "question"}]}`, and one of
/// annotations, `{"annotations": [{"question_id", "answers": [{"answer"}]}]}`. A list, as BLIP and
/// LAVIS use it, is `[{"image": path, "question", "question_id", "answer": text or texts}]`, also as JSON lines or a
/// table.
public struct QuestionSet: Sendable {
  public struct Item: Equatable, Sendable {
    /// Where the image lies, as `FileName` has it.
    public var image: URL
    public var question: String
    /// What people answered, one for each of them; empty where that is not known.
    public var answers: [String]
    /// The `question_id`.
    public var id: String
  }

  /// In the order of the file of questions.
  public let items: [Item]
  /// The ids of the questions that have no answers, which cannot be scored.
  public let unanswered: [String]
  /// How many annotations belong to none of the questions, as when these are a part of a set.
  public let unusedAnnotationCount: Int

  /// - Parameters:
  ///   - questions: VQA's file of questions, or a list of any layout.
  ///   - annotations: VQA's answers, only beside VQA's questions; without them no answers are known.
  ///   - imageFolder: Where the images are; by default the folder of the questions. VQA's are
  ///     found by number: `COCO_val2014_000000000042.jpg` (and other splits), `000000000042.jpg`, or
  ///     the number with any known extension. A listed path that is not found is looked for by its
  ///     last part.
  /// - Throws: ``DatasetError``, also for an image that is not there, a question id that appears
  ///   twice in a file, an empty question, and a file without questions.
  public init(questions: URL, annotations: URL? = nil, imageFolder: URL? = nil) throws {
    var images = EvaluationImages(
      folder: (imageFolder ?? questions.deletingLastPathComponent()).path)
    let reader = try RecordFile(questions.path, columns: [.image, .question])
    if !reader.isObject, let annotations {
      throw DatasetError.malformed(
        file: annotations.path, line: 1,
        problem: "\(questions.path) is a list with its own answers; leave the annotations out")
    }
    var items = try Self.items(reader, &images)
    guard !items.isEmpty else {
      throw DatasetError.malformed(file: questions.path, line: 1, problem: "holds no questions")
    }
    unusedAnnotationCount =
      try annotations.map {
        try Self.addAnswers(from: RecordFile($0.path, columns: []), to: &items)
      }
      ?? 0
    self.items = items
    unanswered = items.filter { $0.answers.isEmpty }.map(\.id)
  }

  private static func items(
    _ reader: RecordFile, _ images: inout EvaluationImages
  ) throws -> [Item] {
    var items: [Item] = []
    var ids = Set<NameKey>()
    try reader.read(lists: ["questions"]) { place, fields in
      let hasNumber = try !reader.isObject && fields["question_id"] == nil
      let id = hasNumber ? String(place.record) : try fields.identifier("question_id")
      guard ids.insert(NameKey(id)).inserted else {
        throw FieldProblem("question_id", "\(id) appears twice")
      }
      let question = try JSONFields.bounded(try fields.text("question"), "question")
      let image =
        reader.isObject
        ? try images.image(withId: try fields.identifier("image_id"), field: "image_id")
        : try images.image(
          atPath: try JSONFields.bounded(try fields.path(of: .image), "image"), field: "image")
      let name = try fields["answer"] == nil ? "answers" : "answer"
      let answers = try reader.isObject ? nil : fields[name].map { try fields.answers($0, name) }
      items.append(Item(image: image, question: question, answers: answers ?? [], id: id))
    }
    return items
  }

  /// - Returns: How many annotations belong to no item.
  private static func addAnswers(
    from reader: RecordFile, to items: inout [Item]
  ) throws -> Int {
    var numbers: [NameKey: Int] = [:]
    for (number, item) in items.enumerated() { numbers[NameKey(item.id)] = number }
    guard reader.isObject else {
      throw DatasetError.malformed(
        file: reader.file, line: 1, problem: "expected {\"annotations\": […]}, found a list")
    }
    var seen = Set<NameKey>()
    var unused = 0
    try reader.read(lists: ["annotations"]) { _, fields in
      let id = try fields.identifier("question_id")
      guard seen.insert(NameKey(id)).inserted else {
        throw FieldProblem("question_id", "\(id) appears twice")
      }
      let list = try fields["answers"]
      guard case .array(let given) = list else {
        throw FieldProblem("answers", expected: "a list", found: list)
      }
      let answers = try given.flatMap { answer in
        guard case .object(let members) = answer, let text = try JSONFields(members)["answer"]
        else {
          throw FieldProblem("answers", expected: "objects with an \"answer\"", found: answer)
        }
        return try fields.answers(text, "answers.answer")
      }
      if let number = numbers[NameKey(id)] { items[number].answers = answers } else { unused += 1 }
    }
    return unused
  }
}

extension JSONFields {
  /// One answer or a list of them, which may be empty, as an answer may.
  fileprivate func answers(_ value: JSONValue, _ name: String) throws -> [String] {
    try value.elements.map { element in
      guard case .string(let text) = element else {
        throw FieldProblem(name, expected: "a text", found: element)
      }
      return try Self.bounded(text, name)
    }
  }
}
