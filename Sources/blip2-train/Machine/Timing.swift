import Tensors

/// Times short work.
enum Timing {
  /// The median seconds of up to nine runs, of which none begins after 0.8 s; one more before them
  /// wakes the threads and fetches memory from the system.
  static func median(_ body: () -> Void) -> Double {
    body()
    let clock = ContinuousClock()
    let begin = clock.now
    var seconds: [Double] = []
    repeat {
      seconds.append(clock.measure(body) / .seconds(1))
    } while seconds.count < 9 && clock.now - begin < .milliseconds(800)
    return seconds.sorted()[seconds.count / 2]
  }

  /// A factor of products to be timed.
  static func values(_ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { Float($0 % 1021) / 1021 }, shape: shape)
  }
}
