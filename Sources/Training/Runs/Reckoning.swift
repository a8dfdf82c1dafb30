import Foundation
import Layers
import Reporting
import Tensors

/// The memory and the disk that a run is going to want, reckoned before it takes any.
public struct Reckoning {
  /// Numbers that are trained.
  var trainedValues: Int
  /// Bytes that a micro-batch (or chunk) keeps for its backward pass, estimated.
  var activations: Int
  /// Checkpoints that will lie on the disk at once: those kept, the best, and one being written.
  var checkpoints: Int

  /// Tokens of a caption as they usually are.
  package static let usualTextLength = 12

  /// - Parameters:
  ///   - parameters: Those that are trained.
  ///   - activations: What a micro-batch keeps, and what is read ahead.
  package init(
    _ configuration: some RecipeConfiguration, _ parameters: [NamedParameter], activations: Int
  ) {
    trainedValues = parameters.reduce(0) { $0 + $1.parameter.shape.reduce(1, *) }
    self.activations = activations
    let every = configuration.checkpoint.every
    let saves = every > 0 ? configuration.training.steps / every + 1 : 1
    checkpoints = min(saves, configuration.checkpoint.keep + 1) + 1
  }

  /// Weights, their gradients and two moments, float32 each.
  var stateBytes: Int { trainedValues * 16 }
  /// Weights and moments.
  var checkpointBytes: Int { trainedValues * 12 + (1 << 20) }

  /// What a transformer keeps of each row, layer and unit of width: about twelve float32 numbers, as
  /// measured with the Q-Formers of BERT-base's and MiniLM's sizes (84 and 21 MiB a pair).
  package static func activations(rows: Int, layers: Int, width: Int) -> Int {
    let (product, overflow) = (rows * layers).multipliedReportingOverflow(by: width * 48)
    return overflow ? Int.max / 4 : product
  }

  /// Holds the memory against what the machine, a container and `ulimit -v` leave.
  ///
  /// Activations are an estimate: with half of them the run is refused, with all of them warned of.
  /// - Returns: A warning where it may not suffice.
  /// - Throws: `RunError.memory` where it cannot.
  func checkMemory(_ available: Available?) throws -> String? {
    guard let available else { return nil }
    let (state, all) = (stateBytes, stateBytes + activations)
    guard state + activations / 2 <= available.bytes else {
      throw RunError.memory(
        needed: all, state: state, available: available.bytes, limit: available.limit)
    }
    guard all > available.bytes else { return nil }
    return "warning: about \(Quantity.bytes(all)) of memory are needed (\(available.limit) has "
      + "\(Quantity.bytes(available.bytes)) left): if the run ends for want of it, lower "
      + "training.batchSize or training.chunkSize"
  }

  /// Memory that is left, and what limits it.
  struct Available {
    var bytes: Int
    var limit: String

    static var now: Available? {
      let memory = SystemMemory.current().map {
        Available(bytes: $0.available, limit: "this machine, or its container,")
      }
      let addresses = AddressLimit.current.map {
        Available(bytes: $0.bytesLeft, limit: "\($0.name) of \(Quantity.bytes($0.bytes))")
      }
      return [memory, addresses].compactMap { $0 }.min { $0.bytes < $1.bytes }
    }
  }

  /// Bytes that are free on a folder's disk; nil where the system does not say.
  private static func free(at folder: URL) -> Int? {
    var status = statvfs()
    guard statvfs(folder.path, &status) == 0, status.f_blocks > 0 else { return nil }
    let (free, overflow) = Int(clamping: status.f_bavail)
      .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
    return overflow ? .max : free
  }

  /// What is needed beside what there is, a line each for memory and disk.
  /// - Parameters:
  ///   - folder: One on the disk that checkpoints go to.
  ///   - present: Checkpoints of the run that lie there already.
  func summary(_ available: Available?, folder: URL, present: Int) -> [String] {
    let memory = available.map { "; \($0.limit) has \(Quantity.bytes($0.bytes)) left" } ?? ""
    let free = Reckoning.free(at: folder).map { "; \(Quantity.bytes($0)) are free there" } ?? ""
    let count = max(1, checkpoints - present)
    return [
      "memory: about \(Quantity.bytes(stateBytes + activations)), "
        + "\(Quantity.bytes(stateBytes)) of it for weights, gradients and moments" + memory,
      "disk: \(Quantity.bytes(count * checkpointBytes)) at most for checkpoints to come, each "
        + "of \(Quantity.bytes(checkpointBytes))" + free,
    ]
  }

  /// Holds the disk against the checkpoints to come.
  /// - Parameter present: Checkpoints of the run that lie there already.
  /// - Throws: `RunError.disk`.
  func checkDisk(of folder: URL, present: Int) throws {
    guard let free = Reckoning.free(at: folder) else { return }
    let count = max(1, checkpoints - present)
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
      limit.rlim_cur < UInt64(checkpointBytes)
    {
      throw RunError.fileSize(needed: checkpointBytes, limit: Int(limit.rlim_cur))
    }
    guard free < count * checkpointBytes else { return }
    throw RunError.disk(
      folder: folder.path, needed: count * checkpointBytes, checkpoints: count, free: free)
  }
}
