import Glibc

/// What the time of a program goes to, operation by operation.
///
/// Operations run one after another on one thread and share their work out from there. So the time
/// since the last mark belongs to the operation that sets the next one: nothing falls between, and
/// the shares make up the whole. Marks of other threads are not counted.
public final class Profile {
  /// The part of a step that an operation ran in.
  public enum Pass: String, Sendable {
    case forward
    case backward
    /// Neither: the optimiser, the data, checkpoints.
    case other = ""
  }

  /// One operation's run.
  public struct Event {
    public let name: StaticString
    public let pass: Pass
    /// Nanoseconds since the profile began.
    public let begin: Int
    public let end: Int
    /// The products within it.
    public let products: ProductCount
    /// What it read and wrote: its products' matrices, or its variables' values where it has none.
    public let bytes: Int
  }

  /// All runs of one operation together.
  public struct Total {
    public fileprivate(set) var calls = 0
    public fileprivate(set) var nanoseconds = 0
    public fileprivate(set) var products = ProductCount()
    public fileprivate(set) var bytes = 0
  }

  public struct Key: Hashable {
    public let name: String
    public let pass: Pass
  }

  /// The runs from the beginning on, as many as are kept.
  public private(set) var events: [Event] = []
  public private(set) var totals: [Key: Total] = [:]
  /// How many training steps, or the like, ended.
  public private(set) var steps = 0

  private let mostEvents: Int
  private let thread = pthread_self()
  private let start: Int
  private var last: Int
  private var products: ProductCount
  /// Full names are shortened once.
  private var keys: [UnsafePointer<UInt8>: [Pass: Key]] = [:]

  // MARK: One profile at a time

  public private(set) static var isOn = false
  private static var current: Profile?

  /// Begins a profile of the calling thread.
  /// - Parameter mostEvents: How many single runs are kept; totals count all.
  public static func begin(keeping mostEvents: Int = 200_000) {
    current = Profile(mostEvents: mostEvents)
    isOn = true
  }

  /// Forgets what was seen so far, such as a first step that warms up.
  public static func restart() {
    if isOn, let current { begin(keeping: current.mostEvents) }
  }

  /// Ends the profile and hands it out.
  public static func end() -> Profile? {
    defer {
      isOn = false
      current = nil
    }
    return current
  }

  /// Says that an operation ended, on the thread that the profile is taken of.
  /// - Parameters:
  ///   - name: The operation's function; what stands before its bracket is its name.
  ///   - bytes: What it read and wrote, if it made no product.
  @inline(__always)
  public static func mark(
    _ name: StaticString, _ pass: Pass = .other, bytes: @autoclosure () -> Int = 0
  ) {
    if isOn { current?.note(name, pass, bytes()) }
  }

  /// Says that a step ended.
  public static func markStep() {
    if isOn, let current, pthread_equal(current.thread, pthread_self()) != 0 { current.steps += 1 }
  }

  /// A clock in nanoseconds that never goes back.
  static func clock() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  private init(mostEvents: Int) {
    self.mostEvents = mostEvents
    start = Profile.clock()
    last = start
    products = ProductCounter.now
  }

  /// The nanoseconds from the beginning to the last mark.
  public var nanoseconds: Int { last - start }

  private func note(_ name: StaticString, _ pass: Pass, _ bytes: Int) {
    guard pthread_equal(thread, pthread_self()) != 0 else { return }
    let (now, count) = (Profile.clock(), ProductCounter.now)
    let made = count - products
    let event = Event(
      name: name, pass: pass, begin: last - start, end: now - start, products: made,
      bytes: made.bytes > 0 ? made.bytes : bytes)
    if events.count < mostEvents { events.append(event) }
    var total = totals[key(name, pass)] ?? Total()
    total.calls += 1
    total.nanoseconds += now - last
    total.products = total.products + made
    total.bytes += event.bytes
    totals[key(name, pass)] = total
    (last, products) = (now, count)
  }

  private func key(_ name: StaticString, _ pass: Pass) -> Key {
    if let key = keys[name.utf8Start]?[pass] { return key }
    let key = Key(name: Profile.shortName(name), pass: pass)
    keys[name.utf8Start, default: [:]][pass] = key
    return key
  }

  /// `linear` of `linear(_:bias:)`.
  public static func shortName(_ name: StaticString) -> String {
    String(name.description.prefix { $0 != "(" })
  }
}
