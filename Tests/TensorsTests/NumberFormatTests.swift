import TestSupport
import Testing

@testable import Tensors

/// Expanding stored numbers against plain code, number by number, as ggml's C code has it.
@Suite struct NumberFormatTests {
  /// Blocks of random bytes: every scale, also infinite ones and those that are no number.
  static func randomBytes(_ format: NumberFormat, blocks: Int, seed: UInt64) -> [UInt8] {
    var random = SeededGenerator(seed)
    return (0..<blocks * format.blockBytes).map { _ in
      UInt8.random(in: .min ... .max, using: &random)
    }
  }

  private func expanded(_ bytes: [UInt8], _ format: NumberFormat, shift: Int) -> [Float] {
    let count = bytes.count / format.blockBytes * format.blockElements
    let shifted = [UInt8](repeating: 0xA5, count: shift) + bytes
    var target = [Float](repeating: -7, count: count + 1)
    shifted.withUnsafeBytes { source in
      target.withUnsafeMutableBufferPointer {
        format.expand(source.baseAddress! + shift, count: count, into: $0.baseAddress!)
      }
    }
    #expect(target[count] == -7, "a value beyond the end was written")
    return Array(target[..<count])
  }

  @Test(arguments: NumberFormat.allCases)
  func againstPlainCode(_ format: NumberFormat) {
    // Odd counts, where a number may stand alone; every alignment of 4.
    for (blocks, shift) in [(1, 0), (3, 1), (16, 2), (47, 3), (400, 5)] {
      let bytes = Self.randomBytes(format, blocks: blocks, seed: UInt64(blocks))
      let found = expanded(bytes, format, shift: shift)
      let expected = PlainBlocks.expand(bytes, format)
      #expect(found.count == expected.count)
      let isSame = zip(found, expected).allSatisfy {
        $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN
      }
      #expect(isSame, "\(format), \(blocks) blocks")
    }
  }

  /// All that 16 bits can hold: zeros of both signs, subnormal numbers, infinities.
  @Test(arguments: [NumberFormat.float16, .bfloat16])
  func everyNumberOf16Bits(_ format: NumberFormat) {
    let bytes = (0...UInt16.max).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    for (bits, value) in zip(0...UInt16.max, expanded(bytes, format, shift: 0)) {
      let exact =
        format == .float16
        ? Float(Float16(bitPattern: bits)) : Float(bitPattern: UInt32(bits) << 16)
      if value.bitPattern != exact.bitPattern, !(value.isNaN && exact.isNaN) {
        Issue.record("\(bits): expected \(exact), found \(value)")
      }
    }
  }

  @Test func nothingIsExpanded() {
    for format in NumberFormat.allCases {
      #expect(expanded([], format, shift: 4) == [])
      #expect(format.byteCount(of: 3 * format.blockElements) == 3 * format.blockBytes)
      #expect(NumberFormat(rawValue: format.rawValue) == format)
    }
  }
}

/// The formats, written out plainly after `dequantize_row_…` of ggml-quants.c.
enum PlainBlocks {
  static func expand(_ bytes: [UInt8], _ format: NumberFormat) -> [Float] {
    stride(from: 0, to: bytes.count, by: format.blockBytes).flatMap {
      block(Array(bytes[$0..<$0 + format.blockBytes]), format)
    }
  }

  private static func half(_ b: [UInt8], _ place: Int) -> Float {
    Float(Float16(bitPattern: UInt16(b[place]) | UInt16(b[place + 1]) << 8))
  }

  private static func word(_ b: [UInt8], _ place: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(b[place + $1]) << UInt32(8 * $1) }
  }

  private static func signed(_ byte: UInt8) -> Float { Float(Int8(bitPattern: byte)) }

  private static func block(_ b: [UInt8], _ format: NumberFormat) -> [Float] {
    switch format {
    case .float32: return [Float(bitPattern: word(b, 0))]
    case .float16: return [half(b, 0)]
    case .bfloat16: return [Float(bitPattern: UInt32(b[0]) << 16 | UInt32(b[1]) << 24)]
    case .q40: return (0..<32).map { Float(nibble(b, 2, $0) - 8) * half(b, 0) }
    case .q41: return (0..<32).map { Float(nibble(b, 4, $0)) * half(b, 0) + half(b, 2) }
    case .q50:
      return (0..<32).map { Float(nibble(b, 6, $0) + fifth(b, 2, $0) - 16) * half(b, 0) }
    case .q51:
      return (0..<32).map { Float(nibble(b, 8, $0) + fifth(b, 4, $0)) * half(b, 0) + half(b, 2) }
    case .q80: return (0..<32).map { signed(b[2 + $0]) * half(b, 0) }
    case .q4K: return (0..<256).map { large(b, $0, q: 16) { _, _ in 0 } }
    case .q5K:
      return (0..<256).map { large(b, $0, q: 48) { part, i in Int(b[16 + i] >> part & 1) << 4 } }
    case .q6K: return (0..<256).map { sixBits(b, $0) }
    }
  }

  private static func nibble(_ b: [UInt8], _ start: Int, _ index: Int) -> Int {
    Int(index < 16 ? b[start + index] & 15 : b[start + index - 16] >> 4)
  }

  private static func fifth(_ b: [UInt8], _ start: Int, _ index: Int) -> Int {
    Int(word(b, start) >> UInt32(index) & 1) << 4
  }

  private static func large(
    _ b: [UInt8], _ index: Int, q start: Int, _ high: (Int, Int) -> Int
  ) -> Float {
    let (part, i) = (index / 32, index % 32)
    let byte = b[start + part / 2 * 32 + i]
    let q = Int(part % 2 == 0 ? byte & 15 : byte >> 4) + high(part, i)
    // get_scale_min_k4
    let s = Array(b[4..<16])
    let scale = part < 4 ? s[part] & 63 : s[part + 4] & 15 | (s[part - 4] >> 6) << 4
    let least = part < 4 ? s[part + 4] & 63 : s[part + 4] >> 4 | (s[part] >> 6) << 4
    return half(b, 0) * Float(scale) * Float(q) - half(b, 2) * Float(least)
  }

  private static func sixBits(_ b: [UInt8], _ index: Int) -> Float {
    let (n, j) = (index / 128, index % 128)
    let (quarter, l) = (j / 32, j % 32)
    let low = b[n * 64 + l + quarter % 2 * 32]
    let high = b[128 + n * 32 + l] >> (2 * quarter) & 3
    let q = Int(quarter < 2 ? low & 15 : low >> 4) | Int(high) << 4
    return half(b, 208) * signed(b[192 + n * 8 + l / 16 + 2 * quarter]) * Float(q - 32)
  }
}
