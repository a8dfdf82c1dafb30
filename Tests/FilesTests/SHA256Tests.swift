import Files
import Testing

struct SHA256Tests {
  /// The examples of FIPS 180-4, and the empty text.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func publishedExamples(_ text: String, _ digest: String) {
    #expect(SHA256.hash(text.utf8).hexadecimal == digest)
    var parts = SHA256()
    for byte in text.utf8 { parts.update(CollectionOfOne(byte)) }
    #expect(parts.finalize().hexadecimal == digest)
  }

  @Test func aMillionBytesInPieces() {
    var hash = SHA256()
    for _ in 0..<1000 { hash.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
    #expect(
      hash.finalize().hexadecimal
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func digitsAreLowerCase() {
    #expect([0, 10, 255].hexadecimal == "000aff")
  }
}
