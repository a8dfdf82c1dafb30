import Foundation
import TestSupport
import Testing

@testable import demo_report

struct SheetTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Enough of a WebP file to be taken for one.
  private static let image = Array("RIFF\u{1}\u{0}\u{0}\u{0}WEBPVP8 ".utf8)

  /// - Returns: The page that the command writes.
  private func page(_ arguments: [String]) throws -> String {
    let output = folder.path("report.html")
    let command = try SheetCommand.parse(arguments + ["--output", output])
    try command.run()
    return try String(contentsOfFile: output, encoding: .utf8)
  }

  /// Everything at once; texts of the files are marked up.
  private func wholePage() throws -> String {
    try FileManager.default.createDirectory(
      atPath: folder.path("images"), withIntermediateDirectories: true)
    for name in ["0", "1", "p0", "p1", "p2", "p3"] {
      try folder.replace("images/\(name).webp", with: Self.image)
    }
    try folder.write(
      """
      {"id":"0","image":"images/0.webp","text":"a cat on red","truth":["a cat on red"]}
      {"id":"1","image":"images/1.webp","text":"<i>a</i> & \\"b\\"","truth":["a dog above a cat on red"]}
      """, to: "captions.jsonl")
    try folder.write(
      """
      {"image":"/d/images/0.webp","ranked":[{"text":"a cat on red","cosine":1}],"truth":["a cat on red"]}
      {"image":"/d/images/1.webp","ranked":[{"text":"two cats on red","cosine":1}],"truth":["a dog on red"]}
      """, to: "retrieval.jsonl")
    try folder.write(
      """
      [{"image":"images/1.webp","question_id":"q0","question":"what is <here>?"},
       {"image":"images/1.webp","question_id":"q1","question":"is there a dog?"}]
      """, to: "questions.json")
    try folder.write(
      """
      {"id":"q0","image":"/d/images/1.webp","text":"cat","truth":["dog"]}
      {"id":"q1","image":"/d/images/1.webp","text":"yes","truth":["yes"]}
      """, to: "answers.jsonl")
    try folder.write(GroupScoresTests.answers, to: "hard.jsonl")
    try folder.write(GroupScoresTests.list, to: "list.jsonl")
    return try page([
      "--captions", folder.path("captions.jsonl"), "--retrieval", folder.path("retrieval.jsonl"),
      "--questions", folder.path("questions.json"), "--answers", folder.path("answers.jsonl"),
      "--hard", folder.path("hard.jsonl"), "--hard-data", folder.path("list.jsonl"),
      "--group-size", "2", "--images", folder.url.path, "--title", "A < B",
    ])
  }

  @Test func thePageNeedsNothingElse() throws {
    let page = try wholePage()
    for text in ["http", "<script", "<link", "@import", "url(", "//"] {
      // Base64 may hold two slashes, but not that of these images.
      #expect(!page.contains(text), "\(text)")
    }
    let address = "src=\"data:image/webp;base64,\(Data(Self.image).base64EncodedString())\""
    #expect(page.components(separatedBy: "<img ").count - 1 == 6)
    #expect(page.components(separatedBy: address).count - 1 == 6)
  }

  @Test func textsAreEscaped() throws {
    let page = try wholePage()
    #expect(page.contains("&lt;i&gt;a&lt;/i&gt; &amp; &quot;b&quot;"))
    #expect(page.contains("what is &lt;here&gt;?"))
    #expect(page.contains("<h1>A &lt; B</h1>"))
    #expect(!page.contains("<i>") && !page.contains("<here>"))
  }

  @Test func elementsAreClosed() throws {
    let page = try wholePage()
    for name in [
      "html", "head", "body", "main", "section", "article", "div", "dl", "dt", "dd", "p", "table",
      "tbody", "tr", "td", "th", "figure", "figcaption", "span", "style", "h2", "header",
    ] {
      let opened = page.matches(of: try Regex("<\(name)[ >]")).count
      let closed = page.components(separatedBy: "</\(name)>").count - 1
      #expect(opened > 0 && opened == closed, "\(name): \(opened) opened, \(closed) closed")
    }
  }

  @Test func rightAndWrongAreMarked() throws {
    let page = try wholePage()
    let right = "<span class=\"right\" role=\"img\" aria-label=\"right\">✓</span>"
    let wrong = "<span class=\"wrong\" role=\"img\" aria-label=\"wrong\">✗</span>"
    #expect(page.contains("<dt>caption</dt><dd>\(right) <span>a cat on red</span></dd>"))
    #expect(page.contains("<dt>caption</dt><dd>\(wrong) <span>&lt;i&gt;"))
    #expect(page.contains("<p class=\"truth\">a dog above a cat on red</p>"))
    #expect(page.contains("<dd>\(right) <span>found</span></dd>"))
    #expect(page.contains("<dd>\(wrong) <span>two cats on red</span></dd>"))
    let note = "<span class=\"note\">truth: dog</span>"
    #expect(page.contains("<dd>\(wrong) <span>cat</span> \(note)</dd>"))
    #expect(page.contains("<dt>is there a dog?</dt><dd>\(right) <span>yes</span></dd>"))
    // By the re-ranked score t0 chooses its own image, t1 has a tie.
    #expect(page.contains("<td>t0</td><td><span class=\"choice\">\(right) image A</span></td>"))
    #expect(page.contains("<td>t1</td><td><span class=\"choice\">\(wrong) no image</span></td>"))
  }

  @Test func sectionsAppearForWhatIsGiven() throws {
    _ = try wholePage()
    let captions = try page([
      "--captions", folder.path("captions.jsonl"), "--images", folder.url.path, "--count", "1",
    ])
    #expect(captions.contains("1 of 2 images"))
    #expect(captions.contains("CHAIR_i"))
    #expect(!captions.contains("Hard") && !captions.contains("Questions"))
    let hard = try page([
      "--hard", folder.path("hard.jsonl"), "--group-size", "2", "--images", folder.url.path,
    ])
    #expect(hard.contains("Hard groups") && !hard.contains("Held-out scenes"))
    let answers = try page([
      "--answers", folder.path("answers.jsonl"), "--images", folder.url.path,
    ])
    #expect(answers.contains("All 1 images"))
    #expect(throws: (any Error).self) { try page([]) }
  }

  @Test func imagesMustBeImages() throws {
    _ = try wholePage()
    try folder.write("text", to: "images/0.webp")
    #expect(
      throws: InputError(
        file: "images/0.webp", problem: "expected WebP, PNG, JPEG or GIF, found none of them")
    ) {
      try page(["--captions", folder.path("captions.jsonl"), "--images", folder.url.path])
    }
    #expect(throws: InputError(file: "images/0.webp", problem: "there is no such file")) {
      try page(["--captions", folder.path("captions.jsonl")])
    }
  }

  @Test func outputsThatCannotBeWritten() throws {
    _ = try wholePage()
    let output = folder.path("none/report.html")
    let command = try SheetCommand.parse([
      "--captions", folder.path("captions.jsonl"), "--images", folder.url.path, "--output", output,
    ])
    #expect(
      throws: InputError(file: output, problem: "cannot be written: No such file or directory")
    ) { try command.run() }
  }

  @Test(
    arguments: [
      ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A], "image/png"),
      ([0xFF, 0xD8, 0xFF, 0xE0], "image/jpeg"),
      ([0x47, 0x49, 0x46, 0x38, 0x39], "image/gif"), (Self.image, "image/webp"),
      ([0x52, 0x49, 0x46, 0x46], nil), ([], nil),
    ] as [([UInt8], String?)])
  func mediaTypesComeFromTheBytes(_ bytes: [UInt8], _ type: String?) {
    #expect(ImageFiles.mediaType(of: Data(bytes)) == type)
  }

  @Test func evenDistancesBeginWithTheFirst() {
    #expect(Array(0..<10).spread(4) == [0, 2, 5, 7])
    #expect([1, 2].spread(5) == [1, 2])
    #expect([1, 2].spread(0) == [])
  }
}
