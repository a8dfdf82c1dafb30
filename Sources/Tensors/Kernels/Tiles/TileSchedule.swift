/// The order in which a product's tasks, runs of rows by panels of columns, are taken: each thread's
/// rows lie together, as in the loops before and after, and it goes through them panel by panel, so that
/// a panel is read from memory once.
struct TileSchedule {
  let runs: Int
  let panels: Int
  private let parts: Int

  init(runs: Int, panels: Int, threads: Int = Parallel.threadCount) {
    (self.runs, self.panels) = (runs, panels)
    parts = min(runs, threads)
  }

  var count: Int { runs * panels }

  subscript(task: Int) -> (run: Int, panel: Int) {
    let part = ((task / panels + 1) * parts - 1) / runs
    let first = part * runs / parts
    let size = (part + 1) * runs / parts - first
    let place = task - first * panels
    return (first + place % size, place / size)
  }
}
