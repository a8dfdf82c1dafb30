import Testing

@testable import Tensors

/// The order of a product's tasks.
@Suite struct TileTasksTests {
  @Test(arguments: [1, 2, 3, 7, 11, 64], [1, 2, 3, 5, 16])
  func takesEveryRunAndPanelOnce(_ runs: Int, threads: Int) {
    for panels in [1, 2, 12] {
      let tasks = TileSchedule(runs: runs, panels: panels, threads: threads)
      let places = (0..<tasks.count).map { tasks[$0].run * panels + tasks[$0].panel }
      #expect(places.sorted() == Array(0..<runs * panels), "\(panels) panels")
    }
  }

  /// A thread's rows lie together, and it is done with a panel before it goes on to the next one.
  @Test func goesThroughAThreadsRowsPanelByPanel() {
    let tasks = TileSchedule(runs: 4, panels: 3, threads: 2)
    let order = (0..<tasks.count).map { tasks[$0] }
    #expect(order.map(\.run) == [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3])
    #expect(order.map(\.panel) == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])
  }
}
