import Files

/// What a reader finds wrong with bytes; `MappedFile.decoded` says in which file they lie.
struct FormatProblem: Error {
  fileprivate let error: @Sendable (_ file: String) -> WeightFileError

  init(_ error: @escaping @Sendable (_ file: String) -> WeightFileError) { self.error = error }
}

extension MappedFile {
  /// What is read from all bytes.
  /// - Throws: What `read` throws; a `FormatProblem` as an error about this file.
  func decoded<Result>(_ read: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    do {
      return try withBytes(read)
    } catch let problem as FormatProblem {
      throw problem.error(path)
    }
  }
}

/// The header, a directory, a pickle or an index of shards breaks the format.
func damaged(_ expected: String, _ found: String) -> FormatProblem {
  FormatProblem { .damagedHeader(file: $0, expected: expected, found: found) }
}

/// The header's entry for one tensor breaks the format.
func damaged(tensor: String, _ expected: String, _ found: String) -> FormatProblem {
  FormatProblem { .damagedTensor(file: $0, tensor: tensor, expected: expected, found: found) }
}

/// The bytes are of a format, or a form of one, that this program does not read.
func unsupported(_ found: String, remedy: String) -> FormatProblem {
  FormatProblem { .unsupportedFormat(file: $0, found: found, remedy: remedy) }
}
