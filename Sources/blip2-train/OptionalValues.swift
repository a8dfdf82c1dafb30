/// The options that may stand with a value or without one.
///
/// ArgumentParser 1.8.2 takes `--resume=FILE` for the option without a value, wherever another argument
/// follows, and drops FILE. So `=` becomes a blank before it sees the arguments.
enum OptionalValues {
  /// All of them; their values are paths.
  static let options = ["--resume", "--profile"]

  /// The arguments with `--resume FILE` in place of `--resume=FILE`.
  static func separated(_ arguments: [String]) -> [String] {
    var separated: [String] = []
    for (place, argument) in arguments.enumerated() {
      // What follows is no option any more.
      if argument == "--" { return separated + arguments[place...] }
      guard let option = options.first(where: { argument.hasPrefix($0 + "=") }) else {
        separated.append(argument)
        continue
      }
      let value = String(argument.dropFirst(option.count + 1))
      // A path that begins like an option would be taken for one.
      separated += [option, value.hasPrefix("-") ? "./" + value : value]
    }
    return separated
  }
}
