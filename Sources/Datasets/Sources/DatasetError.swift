import Files
import Foundation

/// What is wrong with a data set.
public enum DatasetError: Error, Equatable, Sendable {
  /// The operating system could not open or read a file or folder.
  case unreadable(file: String, detail: String)
  /// The machine, the disk or the connection to it failed where a file was to be read. That says
  /// nothing about the file, so that no sample is passed over for it.
  case systemFailure(file: String, SystemError)
  /// A list is larger than is read.
  case fileTooLarge(file: String, bytes: Int, limit: Int)
  /// A list is not valid JSON, UTF-8 and so on. Lines count from 1.
  case malformed(file: String, line: Int, problem: String)
  /// A record lacks something or says something impossible. Records and lines count from 1.
  case badRecord(file: String, record: Int, line: Int, field: String, problem: String)
  /// A shard is cut short or is no tar archive.
  case damagedShard(file: String, offset: Int, problem: String)
  /// A shard is of a kind that is not read.
  case unsupportedShard(file: String, problem: String, advice: String)
  /// A path with `*`, `?`, `[…]` or `{…}` names nothing.
  case badPattern(path: String, problem: String)
  /// A folder could be two kinds of source.
  case ambiguousFolder(folder: String, shard: String, image: String)
  /// A folder of images is named for a source that has its own.
  case needlessImageFolder(path: String, String)
  /// A mixture cannot be made.
  case badMixture(problem: String)
  /// Not one sample could be read.
  case nothingToPack(skipped: Int)
  /// No pairs were found in a list, a folder or shards, but what the findings say.
  case noSamples(file: String, [SourceFinding])
  /// There are more samples than sample numbers.
  case tooManySamples(limit: Int)
  /// Not one batch can be filled.
  case fewerSamplesThanBatch(samples: Int, batchSize: Int)
  /// A run cannot go on at a place that the data set does not have.
  case noSuchPosition(position: Int, count: Int)
  /// Too many images could not be read. `limit` is how many were allowed of those seen.
  case tooManyBadSamples(bad: Int, seen: Int, limit: Int, lastReasons: [String])
  /// Not one of the samples tried could be read, where the run cannot go on without.
  case nothingReadable(tried: Int, lastReasons: [String])
}

/// What is wrong with a part of a file, for who knows which part of which file it is.
struct Problem: Error {
  let text: String

  init(_ text: String) { self.text = text }
}

extension DatasetError {
  /// What a refusal of the operating system means for a data set.
  init(_ error: SystemError, file: String) {
    self =
      error.isFailureOfSystem
      ? .systemFailure(file: file, error)
      : .unreadable(file: file, detail: error.words(ofReading: file))
  }

  init(_ failure: ReadFailure) {
    switch failure.reason {
    case .system(let error): self.init(error, file: failure.path)
    case .tooLarge(let size, let limit):
      self = .fileTooLarge(file: failure.path, bytes: size, limit: limit)
    case .notRegular, .empty, .changed:
      self = .unreadable(file: failure.path, detail: failure.words)
    }
  }

  /// Samples are numbered with 32 bits, of which the random streams use all.
  private static let sampleLimit = Int(Int32.max)

  /// - Throws: `.tooManySamples`.
  static func checkSampleCount(_ count: Int) throws {
    guard count <= sampleLimit else { throw tooManySamples(limit: sampleLimit) }
  }

  /// Asks the system about a path, whose refusal is a data set's error.
  static func asking<Answer>(
    _ path: String, _ question: (String) throws(SystemError) -> Answer
  ) throws(DatasetError) -> Answer {
    do {
      return try question(path)
    } catch {
      throw DatasetError(error, file: path)
    }
  }

  /// Calls `body`, whose failure to read is a data set's error.
  static func reading<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let failure as ReadFailure {
      throw DatasetError(failure)
    }
  }
}

extension DatasetError: CustomStringConvertible, LocalizedError {
  public var errorDescription: String? { description }

  public var description: String { FileName.displayed(words) }

  /// Whether the system failed, so that it is no matter of one sample.
  public var isSystemFailure: Bool {
    if case .systemFailure = self { return true }
    return false
  }

  private var words: String {
    switch self {
    case .unreadable(let file, let detail): return "\(file): cannot be read: \(detail)"
    case .systemFailure(let file, let error):
      return "\(file): cannot be read: \(error.words). This is no fault of the file, so that "
        + "nothing is passed over for it; \(error.advice)"
    case .fileTooLarge(let file, let bytes, let limit):
      return "\(file): has \(bytes) bytes, more than the limit of \(limit); split the list"
    case .malformed(let file, let line, let problem): return "\(file), line \(line): \(problem)"
    case .badRecord(let file, let record, let line, let field, let problem):
      return "\(file), record \(record) (line \(line)), field \"\(field)\": \(problem)"
    case .damagedShard(let file, let offset, let problem):
      return "\(file): damaged at byte \(offset): \(problem). Fetch or pack the shard again, or "
        + "leave it out"
    case .unsupportedShard(let file, let problem, let advice):
      return "\(file): \(problem); \(advice)"
    case .badPattern(let path, let problem): return "\(path): \(problem)"
    case .ambiguousFolder(let folder, let shard, let image):
      return "\(folder): holds shards (\(shard)) and images (\(image)); name the shards by "
        + "\(folder)/*.tar or keep them in a folder of their own"
    case .needlessImageFolder(let path, let folder):
      return "\(path): an image folder (\(folder)) belongs to lists, this is a folder or a shard; "
        + "leave it out"
    case .badMixture(let problem): return problem
    case .nothingToPack(let skipped):
      return "no sample could be read (\(skipped) tried); nothing was written"
    case .noSamples(let file, let findings):
      let found = findings.filter { !$0.examples.isEmpty }.map { finding in
        "\(finding.kind.rawValue): \(finding.count) (\(finding.examples.joined(separator: ", ")))"
      }
      return "\(file): holds no pairs of image and caption. Found "
        + (found.isEmpty ? "nothing" : found.joined(separator: "; "))
        + "; expected a list of images with captions, or images (.jpg, .png, .webp) beside texts "
        + "(.txt, in shards also .json) of the same name, which in shards ends at the first dot"
    case .tooManySamples(let limit):
      return "the data set has more than \(limit) samples; split it"
    case .fewerSamplesThanBatch(let samples, let batchSize):
      return "the data set has fewer samples, \(samples), than one batch of \(batchSize); "
        + "add data or make batches smaller"
    case .noSuchPosition(let position, let count):
      return "cannot go on at sample \(position) of an epoch: the data set has \(count) samples; "
        + "is it the one that the run began with?"
    case .tooManyBadSamples(let bad, let seen, let limit, let lastReasons):
      return "\(bad) of the \(seen) samples seen in this epoch could not be read, more than "
        + "\(limit); check the data set or raise the accepted share. " + Self.listing(lastReasons)
    case .nothingReadable(let tried, let lastReasons):
      return "no sample could be read (\(tried) tried); check the data set. "
        + Self.listing(lastReasons)
    }
  }

  private static func listing(_ reasons: [String]) -> String {
    "The last ones: " + reasons.joined(separator: "; ")
  }
}
