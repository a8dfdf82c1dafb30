import Foundation

/// One axis: what it covers and where its round ticks lie.
struct PlotAxis: Equatable {
  var range: ClosedRange<Double>
  var ticks: [Tick]

  struct Tick: Equatable {
    var value: Double
    var label: String
  }

  /// - Parameters:
  ///   - values: What must lie within.
  ///   - count: About how many ticks there are.
  ///   - endsAtTicks: Whether the axis goes on to the next tick on both sides.
  ///   - label: The text of a tick, given the distance of two.
  init(
    covering values: ClosedRange<Double>, count: Int, endsAtTicks: Bool,
    label: (_ value: Double, _ distance: Double) -> String
  ) {
    var (low, high) = (values.lowerBound, values.upperBound)
    // The smallest span whose ticks still differ in a Double's digits.
    if high - low <= max(max(abs(low), abs(high)) * 1e-9, 1e-100) {
      let margin = abs(low) < 1e-90 ? 1 : abs(low) * 0.1
      (low, high) = (low - margin, high + margin)
    }
    let distance = PlotAxis.roundDistance((high - low) / Double(count))
    if endsAtTicks {
      low = (low / distance).rounded(.down) * distance
      high = (high / distance).rounded(.up) * distance
    }
    range = low...high
    let first = (low / distance - 1e-6).rounded(.up)
    let last = (high / distance + 1e-6).rounded(.down)
    ticks = stride(from: first, through: last, by: 1).map { number in
      // No −0.
      let value = number == 0 ? 0 : number * distance
      return Tick(value: value, label: label(value, distance))
    }
  }

  /// 1, 2 or 5 times a power of ten, not below `distance`.
  static func roundDistance(_ distance: Double) -> Double {
    let power = pow(10, floor(log10(distance)))
    let digit = [1, 2, 5].first { $0 * power >= distance * (1 - 1e-9) } ?? 10
    return digit * power
  }

  /// A measured value with the digits that set it apart from the next tick.
  static func valueLabel(_ value: Double, _ distance: Double) -> String {
    if value == 0 { return "0" }
    let digits = -Int(floor(log10(distance) + 1e-9))
    if digits <= 4, abs(value) < 1e6 {
      return signed(String(format: "%.\(max(0, digits))f", value))
    }
    let exponent = Int(floor(log10(abs(value)) + 1e-9))
    let mantissa = value / pow(10, Double(exponent))
    // Without zeros at the end: 1e−4 above 8e−5.
    let text = String(format: "%.\(min(9, max(0, exponent + digits)) + 1)g", mantissa)
    return signed("\(text)e\(exponent)")
  }

  /// A number of steps: 500, 20k, 1.5M.
  static func stepLabel(_ value: Double, _ distance: Double) -> String {
    for (unit, letter) in [(1e9, "G"), (1e6, "M"), (1e3, "k")]
    where abs(value) >= unit && distance >= unit / 10 {
      return String(format: "%g", value / unit) + letter
    }
    return String(format: "%.10g", value)
  }

  /// With a minus sign in place of the hyphen.
  private static func signed(_ text: String) -> String {
    text.replacingOccurrences(of: "-", with: "−")
  }
}
