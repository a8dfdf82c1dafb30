import Foundation

/// So many of so many.
struct Share: Equatable, Encodable {
  var count = 0
  var total = 0

  /// In percent; nil of nothing.
  var percent: Double? { total == 0 ? nil : 100 * Double(count) / Double(total) }

  mutating func add(_ isOne: Bool) {
    total += 1
    if isOne { count += 1 }
  }

  /// "81.3", or a dash.
  var text: String { percent.map(Self.text) ?? "–" }

  static func text(_ percent: Double) -> String { String(format: "%.1f", percent) }

  /// The percentage, or null, so that the key is always there.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let percent { try container.encode(percent) } else { try container.encodeNil() }
  }
}
