/// Our names of parameters and those of a public format: one table, read both ways.
///
/// A line says how a name begins, up to a dot or its end; `#` stands for a number, such as a layer's, which
/// both names have. Of several lines that fit, the longest counts.
public struct PublicNames: ExpressibleByDictionaryLiteral, Sendable {
  private struct Line: Sendable {
    let ours: [Substring]
    let theirs: [Substring]
  }

  private let lines: [Line]

  /// Ours, then theirs.
  public init(dictionaryLiteral lines: (String, String)...) {
    self.lines = lines.map {
      Line(ours: $0.split(separator: "."), theirs: $1.split(separator: "."))
    }
  }

  private init(_ lines: [Line]) {
    self.lines = lines
  }

  public static func + (first: PublicNames, second: PublicNames) -> PublicNames {
    PublicNames(first.lines + second.lines)
  }

  /// The same names beneath others, such as `blocks.#` and `encoder.layer.#`.
  public func beneath(_ ours: String, _ theirs: String) -> PublicNames {
    PublicNames(
      lines.map {
        Line(
          ours: ours.split(separator: ".") + $0.ours,
          theirs: theirs.split(separator: ".") + $0.theirs)
      })
  }

  /// The public name of one of our parameters; nil if the format has none for it.
  public func theirs(of name: String) -> String? {
    PublicNames.replaced(name, lines.map { ($0.ours, $0.theirs) })
  }

  /// Our name of what a public name stands for; nil if it is none of a parameter of ours.
  public func ours(of name: String) -> String? {
    PublicNames.replaced(name, lines.map { ($0.theirs, $0.ours) })
  }

  private static func replaced(
    _ name: String, _ lines: [(beginning: [Substring], other: [Substring])]
  ) -> String? {
    let parts = name.split(separator: ".")
    let fitting = lines.filter { line in
      line.beginning.count <= parts.count
        && zip(line.beginning, parts).allSatisfy { $0 == $1 || $0 == "#" && Int($1) != nil }
    }
    guard let line = fitting.max(by: { $0.beginning.count < $1.beginning.count }) else {
      return nil
    }
    var numbers = zip(line.beginning, parts).filter { $0.0 == "#" }.map(\.1)[...]
    let start = line.other.map { $0 == "#" ? numbers.removeFirst() : $0 }
    return (start + parts.dropFirst(line.beginning.count)).joined(separator: ".")
  }
}
