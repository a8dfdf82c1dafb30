/// A look at JSON text before a parser sees it.
///
/// Parsers that call themselves for each nested value can run out of stack on `[[[[…`, and most
/// accept a key twice and keep one of the values. This pass runs in constant space.
public enum JSONOutline {
  public enum Finding: Equatable {
    /// How many `:` stand directly in the outermost object, which is its number of keys.
    case outermostKeys(Int)
    case tooDeep
    /// A zero byte: no JSON in UTF-8 has one, but a parser may take it for a sign of UTF-16.
    case zeroByte
    case notUTF8
  }

  public static func scan(_ text: UnsafeRawBufferPointer, maximumDepth: Int) -> Finding {
    var depth = 0
    var keys = 0
    var insideString = false
    var escaped = false
    for byte in text {
      if byte == 0 { return .zeroByte }
      if insideString {
        if escaped {
          escaped = false
        } else if byte == UInt8(ascii: "\\") {
          escaped = true
        } else if byte == UInt8(ascii: "\"") {
          insideString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): insideString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        if depth > maximumDepth { return .tooDeep }
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ":") where depth == 1: keys += 1
      default: break
      }
    }
    guard String(validating: text, as: UTF8.self) != nil else { return .notUTF8 }
    return .outermostKeys(keys)
  }
}
