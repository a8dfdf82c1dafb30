import Files
import Foundation

/// What the program was called with. Swift's own list of arguments has U+FFFD in place of bytes that are
/// not UTF-8, by which two files would become one, and neither be found.
enum ProgramArguments {
  /// The arguments after the program's name, as `FileName` has them, with the home folder where a `~`
  /// stands for it that no shell has replaced, as in `--output=~/runs`.
  static let all: [String] = {
    var previous = ""
    return given.map { argument in
      defer { previous = argument }
      // What these say is no path.
      func isText(_ name: String) -> Bool {
        ["--prompt", "--text", "--title", "--set"].contains(name)
      }
      guard argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") else {
        return isText(previous) ? argument : FilePath.withHome(argument)
      }
      let name = String(argument[..<equals])
      let value = String(argument[argument.index(after: equals)...])
      return isText(name) ? argument : "\(name)=\(FilePath.withHome(value))"
    }
  }()

  private static let given: [String] = {
    // Called in a way that leaves even the name out, there are none.
    let places = min(1, CommandLine.argc)..<CommandLine.argc
    return places.compactMap { place in
      CommandLine.unsafeArgv[Int(place)].map { argument in
        FileName.text(UnsafeRawBufferPointer(start: argument, count: strlen(argument)))
      }
    }
  }()
}
