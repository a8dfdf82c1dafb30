import Files
import Foundation

/// A TensorBoard event file, `events.out.tfevents.SECONDS.HOST.PID.NUMBER`, which only grows.
///
/// Each record goes to the system as soon as it is written, so that a killed run loses none; one that the
/// system does not take waits for the next.
final class EventFile {
  let url: URL
  private let file: GrowingFile

  private static let prefix = "events.out.tfevents."

  /// Begins a new file.
  /// - Throws: `SystemFailure`.
  init(folder: URL, wallTime: Double = Date().timeIntervalSince1970) throws {
    try FileSystem.createFolder(folder.path)
    let earlier = try FileSystem.list(folder.path).filter { $0.hasPrefix(EventFile.prefix) }
    url = folder.appendingPathComponent(EventFile.name(after: earlier, wallTime: wallTime))
    // An existing file would be another program's.
    file = try GrowingFile(url.path, mustBeNew: true)
    append(TensorBoardEvent(wallTime: wallTime, content: .version(writer: "blip2-train")))
  }

  /// Tries once more to write the records that wait.
  /// - Returns: Why some still do; nil where all are written.
  func flush() -> SystemFailure? { file.flush() }

  /// TensorBoard reads the files of a folder in the order of their names, so that a new one gets a
  /// later time than all others, whatever the clock says.
  private static func name(after earlier: [String], wallTime: Double) -> String {
    let latest = earlier.compactMap { Int($0.dropFirst(prefix.count).prefix(10)) }.max() ?? 0
    let seconds = max(Int(min(max(0, wallTime), 9_999_999_999)), min(latest + 1, 9_999_999_999))
    var host = [CChar](repeating: 0, count: 256)
    let isKnown = gethostname(&host, host.count - 1) == 0
    let letters = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let name = isKnown ? String(decoding: letters, as: UTF8.self) : "unknown"
    return prefix + String(format: "%010d", seconds)
      + ".\(name.replacingOccurrences(of: "/", with: "-")).\(getpid()).\(earlier.count)"
  }

  func append(_ event: TensorBoardEvent) { file.append(EventFile.record(event.bytes)) }

  /// A TFRecord: the length, its checksum, the data, its checksum, all little-endian.
  static func record(_ data: [UInt8]) -> Data {
    let length = withUnsafeBytes(of: UInt64(data.count).littleEndian) { Array($0) }
    var record = Data(capacity: data.count + 16)
    record.append(contentsOf: length)
    record.append(littleEndian: CRC32C.masked(of: length))
    record.append(contentsOf: data)
    record.append(littleEndian: CRC32C.masked(of: data))
    return record
  }
}
