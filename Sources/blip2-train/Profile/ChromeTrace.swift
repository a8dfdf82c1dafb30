import Foundation
import Tensors

/// A profile in the format that chrome://tracing and Perfetto read ("Trace Event Format").
enum ChromeTrace {
  private struct File: Encodable {
    let traceEvents: [Event]
    let displayTimeUnit = "ms"
  }

  private struct Event: Encodable {
    let name: String
    /// The category: the pass.
    let cat: String
    /// A complete event, with its duration.
    let ph = "X"
    /// Microseconds.
    let ts: Double
    let dur: Double
    let pid = 1
    let tid = 1
    let args: Arguments
  }

  private struct Arguments: Encodable {
    let gigaFLOP: Double
    let megabytes: Double
  }

  static func data(of profile: Profile) throws -> Data {
    let events = profile.events.map { event in
      Event(
        name: Profile.shortName(event.name), cat: event.pass.rawValue,
        ts: Double(event.begin) * 1e-3, dur: Double(event.end - event.begin) * 1e-3,
        args: Arguments(
          gigaFLOP: Double(event.products.operations) * 1e-9,
          megabytes: Double(event.bytes) * 1e-6))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(File(traceEvents: events))
  }

  /// What such a file begins with.
  static let beginning = "{\"displayTimeUnit\":\"ms\""
}
