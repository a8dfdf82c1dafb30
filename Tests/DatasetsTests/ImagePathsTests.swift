import TestSupport
import Testing

@testable import Datasets

/// Images that a person names.
@Suite struct ImagePathsTests {
  @Test func aFolderStandsForItsImages() throws {
    let folder = try TemporaryFolder()
    for name in ["b.JPG", "a.webp", "a.txt", "notes.json"] { _ = try folder.write("x", to: name) }
    let path = folder.url.path
    #expect(
      try ImagePaths.files([path, "one.txt"]) == ["\(path)/a.webp", "\(path)/b.JPG", "one.txt"])
  }
}
