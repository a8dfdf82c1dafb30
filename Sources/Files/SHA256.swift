import COpenSSL

/// A SHA-256 digest in the making (FIPS 180-4), by the system's libcrypto.
public struct SHA256: ~Copyable {
  /// A digest's length in bytes.
  public static let byteCount = 32

  private let context: OpaquePointer

  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto gives no SHA-256: \(Self.libraryVersion)")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Appends bytes to what is digested.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1)
  }

  /// Appends bytes to what is digested.
  public mutating func update(_ bytes: some Collection<UInt8>) {
    if bytes.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
      Array(bytes).withUnsafeBytes { update($0) }
    }
  }

  /// Appends a number as eight bytes, the lowest first.
  public mutating func update(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { update($0) }
  }

  /// Appends a text's UTF-8 to what is digested.
  public mutating func update(_ text: String) { update(text.utf8) }

  /// The digest of everything appended: 32 bytes.
  public consuming func finalize() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.byteCount) { digest, count in
      precondition(EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1)
      count = Self.byteCount
    }
  }

  /// The digest of all of `bytes`: 32 bytes.
  public static func hash(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }

  /// The first 64 bits of the digest of all of `bytes`: of a few million, two share them about never.
  public static func number(of bytes: some Collection<UInt8>) -> UInt64 {
    hash(bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The library that computes, such as `OpenSSL 3.0.19 27 Jan 2026`.
  public static var libraryVersion: String { String(cString: OpenSSL_version(OPENSSL_VERSION)) }
}
