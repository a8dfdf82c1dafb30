import Foundation

/// Runs that are drawn as one line.
public struct PlotGroup: Equatable {
  public var label: String
  public var folders: [String]
}

extension PlotGroup {
  /// - Parameter argument: A run's folder, or `LABEL=FOLDER,FOLDER,…`.
  /// - Throws: ``PlotError/emptyGroup(argument:)``.
  public init(argument: String) throws {
    // A folder may well have such characters in its name.
    let isFolder = FileManager.default.fileExists(atPath: argument)
    guard !isFolder, let sign = argument.firstIndex(of: "=") else {
      if argument.isEmpty { throw PlotError.emptyGroup(argument: "\"\"") }
      let name = URL(fileURLWithPath: argument, isDirectory: true).lastPathComponent
      self.init(label: name, folders: [argument])
      return
    }
    let folders = argument[argument.index(after: sign)...].split(separator: ",").map(String.init)
    if folders.isEmpty { throw PlotError.emptyGroup(argument: argument) }
    self.init(label: String(argument[..<sign]), folders: folders)
  }
}
