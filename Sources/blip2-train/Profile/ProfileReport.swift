import Foundation
import Reporting
import Tensors

/// A profile for people: a line for each operation, the longest first.
struct ProfileReport {
  let profile: Profile
  let limits: MachineLimits

  /// Operations that took less are added up in one line.
  private static let leastShare = 0.002

  private var seconds: Double { Double(profile.nanoseconds) * 1e-9 }

  var description: String {
    let steps = max(1, profile.steps)
    var table = TextTable(
      .left, .left, .right, .right, .right, .right, .right, .right,
      header: [
        "operation", "pass", "calls/step", "ms/step", "share", "GFLOP/s", "GB/s", "of limit",
      ])
    let sorted = profile.totals.sorted { $0.value.nanoseconds > $1.value.nanoseconds }
    let shown = sorted.filter { share(of: $0.value.nanoseconds) >= Self.leastShare }
    for (key, total) in shown { table.add(cells(key.name, key.pass.rawValue, total, steps)) }
    let rest = sorted.dropFirst(shown.count).reduce(0) { $0 + $1.value.nanoseconds }
    if rest > 0 {
      table.add(
        "\(sorted.count - shown.count) others", "", "", tenths(Double(rest) * 1e-6 / Double(steps)),
        percent(share(of: rest)), "", "", "")
    }
    return ([table.description] + summary(steps)).joined(separator: "\n")
  }

  private func cells(
    _ name: String, _ pass: String, _ total: Profile.Total, _ steps: Int
  ) -> [String] {
    let time = Double(total.nanoseconds) * 1e-9
    let operations = total.products.operations
    return [
      name, pass, tenths(Double(total.calls) / Double(steps)),
      tenths(time * 1e3 / Double(steps)), percent(share(of: total.nanoseconds)),
      operations > 0 ? tenths(Double(operations) / time * 1e-9) : "",
      total.bytes > 0 ? tenths(Double(total.bytes) / time * 1e-9) : "",
      limitText(shareOfLimit(total, time)),
    ]
  }

  /// Of what takes less time than the limit has it, by its caches, it is not said how much less.
  private func limitText(_ share: Double) -> String { share > 1 ? "> 100 %" : percent(share) }

  /// The time that the operation takes at least, by its products' rate or by the memory's, as a share
  /// of what it took. What caches hold can exceed the memory's rate.
  private func shareOfLimit(_ total: Profile.Total, _ time: Double) -> Double {
    shareOfProductLimit(total) ?? Double(total.bytes) / limits.bandwidth / time
  }

  /// The same by the slower of both rates, for operations that make products.
  private func shareOfProductLimit(_ total: Profile.Total) -> Double? {
    guard total.bytes > 0, total.products.bytes > 0 else { return nil }
    let least = max(limits.seconds(total.products), Double(total.bytes) / limits.bandwidth)
    return least / (Double(total.nanoseconds) * 1e-9)
  }

  private func summary(_ steps: Int) -> [String] {
    let products = profile.totals.values.reduce(ProductCount()) { $0 + $1.products }
    let unit = profile.steps > 0 ? "step" : "run"
    let within = Double(products.nanoseconds) * 1e-9 / Double(Parallel.threadCount)
    return [
      String(
        format: "%.3f s a %@; products of %.1f GFLOP in float32, %.1f in bfloat16 and %.1f in int8",
        seconds / Double(steps), unit,
        Double(products.float32Operations) * 1e-9 / Double(steps),
        Double(products.bfloat16Operations) * 1e-9 / Double(steps),
        Double(products.int8Operations) * 1e-9 / Double(steps)),
      String(
        format:
          "limits measured now: float32 %.0f GFLOP/s, bfloat16 %.0f GFLOP/s, int8 %.0f GOP/s, "
          + "memory %.1f GB/s",
        limits.float32 * 1e-9, limits.bfloat16 * 1e-9, limits.int8 * 1e-9,
        limits.bandwidth * 1e-9),
      "products at their limit: \(percent(limits.seconds(products) / seconds)) of the time; "
        + "spent in products: \(percent(within / seconds))",
    ]
  }

  private func share(of nanoseconds: Int) -> Double {
    Double(nanoseconds) / Double(max(1, profile.nanoseconds))
  }

  private func percent(_ share: Double) -> String { Quantity.percent(share) }

  private func tenths(_ value: Double) -> String { String(format: "%.1f", value) }
}
