import Files
import Foundation

/// What the program was called with. Swift's own list of arguments has U+FFFD in place of bytes that are
/// not UTF-8, by which two files would become one, and neither be found.
enum ProgramArguments {
  /// The arguments after the program's name, as `FileName` has them.
  static let all: [String] = {
    // Called in a way that leaves even the name out, there are none.
    let places = min(1, CommandLine.argc)..<CommandLine.argc
    return places.compactMap { place in
      CommandLine.unsafeArgv[Int(place)].map { argument in
        FileName.text(UnsafeRawBufferPointer(start: argument, count: strlen(argument)))
      }
    }
  }()
}
