import Foundation

/// Canonical decomposition without accents, in lower case, one code point at a time.
///
/// Decomposition is that of Foundation. It knows one pair of code points more than the library's
/// (U+11938, of a historical script), which is in no public vocabulary.
enum BERTFolding {
  /// What `scalar` becomes; nothing for an accent.
  ///
  /// The library lower-cases code point by code point too: a final sigma is not treated as such.
  static func folded(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    let value = Int(scalar.value)
    return value < common.count ? common[value] : compute(scalar)
  }

  /// Whether combining marks do not change places across `scalar`.
  static func isStarter(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x300 || scalar.properties.canonicalCombiningClass == .notReordered
  }

  /// `marks`, none of them a starter, in the order of their combining classes; equals stay in place.
  static func canonicallyOrdered(_ marks: [Unicode.Scalar]) -> [Unicode.Scalar] {
    let classes = marks.map(\.properties.canonicalCombiningClass.rawValue)
    return marks.indices.sorted { (classes[$0], $0) < (classes[$1], $1) }.map { marks[$0] }
  }

  /// The results for Latin, Greek, Cyrillic and Armenian.
  private static let common: [[Unicode.Scalar]] = (0..<0x590).map {
    Unicode.Scalar($0).map(compute) ?? []
  }

  private static func compute(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
      .filter { !BERTCharacters.isNonspacingMark($0) }
      .flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
  }
}
