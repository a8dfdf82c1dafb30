import Foundation

/// Numbers as people read them.
package enum Quantity {
  /// "12.3 MiB".
  package static func bytes(_ count: Int) -> String {
    var value = Double(count)
    var unit = "bytes"
    for larger in ["KiB", "MiB", "GiB", "TiB"] where abs(value) >= 1024 {
      value /= 1024
      unit = larger
    }
    return unit == "bytes" ? "\(count) bytes" : String(format: "%.1f ", value) + unit
  }

  /// "1,234,567".
  package static func count(_ count: Int) -> String {
    let digits = String(count.magnitude)
    var text = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return (count < 0 ? "-" : "") + text
  }

  /// "1 thread", "2 threads", "2 processes".
  package static func of(_ count: Int, _ noun: String) -> String {
    "\(self.count(count)) \(noun)\(count == 1 ? "" : noun.hasSuffix("s") ? "es" : "s")"
  }

  /// "0.25", "3.1", "1,200": as many digits as a rate is known to.
  package static func rate(_ value: Double) -> String {
    value < 10 ? String(format: value < 1 ? "%.2f" : "%.1f", value) : count(Int(value.rounded()))
  }

  /// "61.2 %" of a share, 0.612.
  package static func percent(_ share: Double) -> String {
    String(format: "%.1f %%", 100 * share)
  }
}
