/// Finds the pattern that matches most of a text from a place on; of equally long matches the first
/// pattern's wins.
///
/// The patterns become one automaton (Thompson 1968) whose deterministic states are made when they
/// are first reached, so that a character costs one look into a table.
struct PatternMatcher {
  /// The most characters of one match, so that time stays proportional to the text's length.
  static let lengthLimit = 512
  /// The most deterministic states that are kept; beyond it they are made anew.
  private static let stateLimit = 20_000

  private typealias Step = (classes: Set<Int>, target: Int)

  // The automaton of the patterns: state 0 begins, each state has steps and free ways on.
  private var steps: [[Step]] = [[]]
  private var freeWays: [[Int]] = [[]]
  private var acceptedPatterns: [Int: Int] = [:]

  // Characters that no pattern tells apart share a class.
  private var namedClasses: [UInt32: Int] = [:]
  private var classCount: Int

  // What was found so far of the deterministic automaton; state 0 is dead, state 1 begins.
  private var numbers: [[Int]: Int] = [:]
  private var members: [[Int]] = []
  private var accepted: [Int] = []
  private var next: [[Int]] = []

  init(_ patterns: [TextPattern]) {
    let named = TextPattern.choice(patterns).named
    for (offset, scalar) in named.sorted().enumerated() { namedClasses[scalar] = 0x80 + offset }
    classCount = 0x80 + named.count + CaptionCharacter.allCases.count
    for (index, pattern) in patterns.enumerated() {
      let first = addState()
      freeWays[0].append(first)
      acceptedPatterns[add(pattern, from: first)] = index
    }
    forget()
  }

  /// - Returns: The number of the pattern and where its match ends; nil if none matches.
  mutating func longestMatch(in text: [UInt32], from start: Int) -> (pattern: Int, end: Int)? {
    var state = 1
    var best: (pattern: Int, end: Int)?
    for place in start..<min(text.count, start + Self.lengthLimit) {
      let character = characterClass(of: text[place])
      var following = next[state][character]
      if following < 0 { following = makeState(after: state, character) }
      guard following > 0 else { break }
      state = following
      if accepted[state] >= 0 { best = (accepted[state], place + 1) }
    }
    if members.count > Self.stateLimit { forget() }
    return best
  }

  private func characterClass(of scalar: UInt32) -> Int {
    if scalar < 0x80 { return Int(scalar) }
    return namedClasses[scalar] ?? 0x80 + namedClasses.count + CaptionCharacter(scalar).rawValue
  }

  // MARK: The automaton of the patterns

  private mutating func addState() -> Int {
    steps.append([])
    freeWays.append([])
    return steps.count - 1
  }

  /// - Returns: The state at which the pattern has been read.
  private mutating func add(_ pattern: TextPattern, from start: Int) -> Int {
    switch pattern {
    case .one(let set):
      let end = addState()
      steps[start].append((classes(of: set), end))
      return end
    case .parts(let parts):
      return parts.reduce(start) { add($1, from: $0) }
    case .choice(let patterns):
      let ends = patterns.map { pattern in
        let first = addState()
        freeWays[start].append(first)
        return add(pattern, from: first)
      }
      let end = addState()
      for last in ends { freeWays[last].append(end) }
      return end
    case .loop(let repeated):
      let hub = addState()
      freeWays[start].append(hub)
      freeWays[add(repeated, from: hub)].append(hub)
      let end = addState()
      freeWays[hub].append(end)
      return end
    }
  }

  private func classes(of set: ScalarSet) -> Set<Int> {
    var classes = Set((0..<0x80).filter { set.contains(UInt32($0)) })
    for (scalar, number) in namedClasses where set.contains(scalar) { classes.insert(number) }
    for kind in CaptionCharacter.allCases where set.contains(kind) {
      classes.insert(0x80 + namedClasses.count + kind.rawValue)
    }
    return classes
  }

  // MARK: The deterministic automaton

  private mutating func forget() {
    (numbers, members, accepted, next) = ([:], [], [], [])
    _ = number(of: [])
    _ = number(of: reachable(from: [0]))
  }

  private mutating func makeState(after state: Int, _ character: Int) -> Int {
    var targets = Set<Int>()
    for member in members[state] {
      for step in steps[member] where step.classes.contains(character) {
        targets.insert(step.target)
      }
    }
    let following = number(of: reachable(from: targets))
    next[state][character] = following
    return following
  }

  private mutating func number(of states: [Int]) -> Int {
    if let known = numbers[states] { return known }
    numbers[states] = members.count
    members.append(states)
    accepted.append(states.compactMap { acceptedPatterns[$0] }.min() ?? -1)
    next.append([Int](repeating: -1, count: classCount))
    return members.count - 1
  }

  /// The states and all that can be reached from them for free, in order.
  private func reachable(from states: Set<Int>) -> [Int] {
    var found = states
    var open = Array(states)
    while let state = open.popLast() {
      for way in freeWays[state] where found.insert(way).inserted { open.append(way) }
    }
    return found.sorted()
  }
}

extension TextPattern {
  /// The scalars beyond ASCII that sets name one by one.
  fileprivate var named: Set<UInt32> {
    switch self {
    case .one(let set): set.namedBeyondASCII
    case .parts(let patterns), .choice(let patterns):
      patterns.reduce(into: []) { $0.formUnion($1.named) }
    case .loop(let pattern): pattern.named
    }
  }
}
