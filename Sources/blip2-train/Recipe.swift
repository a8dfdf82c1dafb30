import Foundation

/// The YAML file that a command reads.
struct Recipe {
  let path: String
  var url: URL { URL(fileURLWithPath: path) }

  /// - Parameters:
  ///   - given: The path on the command line.
  ///   - demo: Where the demo's recipe lies in the repository; taken without a path.
  init(given: String?, demo: String) throws {
    if let given {
      path = given
      return
    }
    guard FileManager.default.fileExists(atPath: demo) else {
      throw Failure(
        "no --config, and the demo's recipe \(demo) is not below the current folder; "
          + "name a recipe, or run this in the repository")
    }
    path = demo
  }
}
