import Files
import Foundation
import Testing

@testable import Training

/// Reads event files back, strictly: a record or field that is not as it should be is an error.
struct EventReader {
  /// A protocol-buffers message: the values of each field, in their order.
  struct Message {
    var fields: [Int: [Field]] = [:]

    enum Field {
      case number(UInt64)
      case bytes([UInt8])
    }

    func number(_ field: Int) -> UInt64? {
      guard case .number(let number)? = fields[field]?.first else { return nil }
      return number
    }

    func bytes(_ field: Int) -> [[UInt8]] {
      (fields[field] ?? []).compactMap { field in
        guard case .bytes(let bytes) = field else { return nil }
        return bytes
      }
    }

    func text(_ field: Int) -> String? {
      bytes(field).first.map { String(decoding: $0, as: UTF8.self) }
    }

    func message(_ field: Int) throws -> Message? { try bytes(field).first.map(Message.init) }

    init(_ data: [UInt8]) throws {
      var rest = data[...]
      func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
          let next = rest.popFirst()
          let byte = try #require(next)
          value |= UInt64(byte & 0x7F) << shift
          if byte < 0x80 { break }
        }
        return value
      }
      func take(_ count: Int) throws -> [UInt8] {
        try #require(rest.count >= count)
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
      while !rest.isEmpty {
        let key = try varint()
        let value: Field
        switch key & 7 {
        case 0: value = .number(try varint())
        case 1: value = .number(EventReader.integer(try take(8)))
        case 2: value = .bytes(try take(Int(try varint())))
        case 5: value = .number(EventReader.integer(try take(4)))
        default: throw Problem.wireType(key & 7)
        }
        fields[Int(key >> 3), default: []].append(value)
      }
    }
  }

  enum Problem: Error {
    case wireType(UInt64)
    case checksum
  }

  /// The values of an event's summary by their tags.
  struct Event {
    var step: Int
    var version: String?
    var isStart: Bool
    var scalars: [String: Float] = [:]
    var images: [String: [UInt8]] = [:]
    var tables: [String: [String]] = [:]

    init(_ message: Message) throws {
      step = Int(message.number(2) ?? 0)
      version = message.text(3)
      isStart = try message.message(7)?.number(1) == 1
      for value in try message.message(5)?.bytes(1).map(Message.init) ?? [] {
        let tag = try #require(value.text(1))
        if let bits = value.number(2) { scalars[tag] = Float(bitPattern: UInt32(bits)) }
        if let image = try value.message(4) { images[tag] = image.bytes(4).first }
        if let tensor = try value.message(8) {
          #expect(try value.message(9)?.message(1)?.text(1) == "text")
          tables[tag] = tensor.bytes(8).map { String(decoding: $0, as: UTF8.self) }
        }
      }
    }
  }

  /// The data of all records.
  static func records(_ url: URL) throws -> [[UInt8]] {
    var rest = [UInt8](try Data(contentsOf: url))[...]
    var records: [[UInt8]] = []
    func take(_ count: Int) throws -> [UInt8] {
      try #require(rest.count >= count)
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    while !rest.isEmpty {
      let length = try take(8)
      guard integer(try take(4)) == UInt64(CRC32C.masked(of: length)) else {
        throw Problem.checksum
      }
      records.append(try take(Int(integer(length))))
      guard integer(try take(4)) == UInt64(CRC32C.masked(of: records[records.count - 1])) else {
        throw Problem.checksum
      }
    }
    return records
  }

  /// The events of all files of a folder, file by file in the order of their names.
  static func events(in folder: String) throws -> [[Event]] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    return try names.map { name in
      let url = URL(fileURLWithPath: folder).appendingPathComponent(name)
      return try records(url).map { try Event(Message($0)) }
    }
  }

  static func integer(_ bytes: [UInt8]) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
