import Files

/// What a reader finds wrong with bytes; `MappedFile.decoded` says in which file they lie.
struct FormatProblem: Error {
  /// The tensor that it is about; nil for a header, a directory, a pickle or an index of shards.
  var tensor: String?
  let expected: String
  let found: String
  let remedy: String

  static let damage = "the file is damaged, fetch it again"
}

/// The bytes break their format.
func damaged(tensor: String? = nil, _ expected: String, _ found: String) -> FormatProblem {
  FormatProblem(tensor: tensor, expected: expected, found: found, remedy: FormatProblem.damage)
}

/// The bytes are of a format, or a form of one, that this program does not read.
func unsupported(_ found: String, remedy: String) -> FormatProblem {
  FormatProblem(
    expected: "safetensors, a zip file of torch.save or GGUF", found: found, remedy: remedy)
}

extension MappedFile {
  /// What is read from all bytes.
  /// - Throws: What `read` throws; a `FormatProblem` as a `WeightFileError` about this file.
  func decoded<Result>(_ read: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    do {
      return try withBytes(read)
    } catch let problem as FormatProblem {
      throw problem.tensor.map {
        WeightFileError.damagedTensor(
          file: path, tensor: $0, expected: problem.expected, found: problem.found)
      }
        ?? .unusable(
          file: path, expected: problem.expected, found: problem.found, remedy: problem.remedy)
    }
  }
}
