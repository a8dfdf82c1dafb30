import Autograd
import Files
import Layers
import Objectives
import Tensors

/// Which values of the trained parameters each process updates, whose moments it alone has (ZeRO, stage 1:
/// Rajbhandari et al. 2020): the gradients' sums come to it, and what it makes of them goes to all. Sums are
/// added in the order of ranks and each by one process, so that all have the same bits.
struct ParameterShards {
  /// Parameters whose values travel together, one after another, and by rank which of these it updates.
  private struct Group {
    var parameters: Range<Int>
    var runs: [Range<Int>] = []
  }

  let communicator: any Communicator
  private let parameters: [Parameter]
  private let groups: [Group]
  /// Where each parameter's values begin in its group.
  private let starts: [Int]

  /// - Parameter groupSize: Values of a group at most, unless one parameter has more: all that is copied at a
  ///   time to be sent.
  init(_ parameters: [Parameter], _ communicator: any Communicator, groupSize: Int = 4 << 20) {
    self.communicator = communicator
    self.parameters = parameters
    var (groups, starts, size) = ([Group](), [Int](), 0)
    for (index, parameter) in parameters.enumerated() {
      if let last = groups.last, size + parameter.valueCount <= groupSize {
        groups[groups.count - 1].parameters = last.parameters.lowerBound..<index + 1
      } else {
        groups.append(Group(parameters: index..<index + 1))
        size = 0
      }
      starts.append(size)
      size += parameter.valueCount
      groups[groups.count - 1].runs = communicator.runs(of: size)
    }
    (self.groups, self.starts) = (groups, starts)
  }

  private var isWhole: Bool { communicator.count == 1 }

  /// Which values of a parameter lie in a run of its group.
  private func part(of parameter: Int, _ run: Range<Int>) -> Range<Int> {
    let start = starts[parameter]
    return (run.lowerBound - start..<run.upperBound - start)
      .clamped(to: 0..<parameters[parameter].valueCount)
  }

  /// Which values of each parameter this process updates.
  var own: [Range<Int>] {
    groups.flatMap { group in
      group.parameters.map { part(of: $0, group.runs[communicator.rank]) }
    }
  }

  /// For each parameter the gradients of its own values, summed over all processes; nil where there are none.
  func summed(_ gradients: Gradients) -> [Tensor?] {
    if isWhole { return parameters.map { $0.gradient(in: gradients) } }
    return groups.flatMap { group in
      let flat = ParameterShards.joined(
        group.parameters.map {
          parameters[$0].gradient(in: gradients) ?? .zeros(parameters[$0].shape)
        })
      return cut(
        communicator.summedRun(flat, group.runs), of: group, group.runs[communicator.rank])
    }
  }

  /// Hands the own values, updated, to all others and takes theirs.
  func share() {
    if isWhole { return }
    let own = own
    for group in groups {
      let updated = ParameterShards.joined(
        group.parameters.map { parameters[$0].value.flatRows(own[$0]) })
      let all = communicator.joined(updated)
      for (parameter, values) in zip(group.parameters, cut(all, of: group)) {
        values.read { source in
          parameters[parameter].update { $0.update(from: source, count: values.count) }
        }
      }
    }
  }

  /// The values of all processes, which have those that they update, at the first; nil at others.
  /// - Parameter values: For each parameter.
  func gathered(_ values: [Tensor]) -> [Tensor]? {
    if isWhole { return values }
    let (rank, count) = (communicator.rank, communicator.count)
    let gathered = groups.flatMap { group in
      let own = ParameterShards.joined(group.parameters.map { values[$0] })
      let parts = communicator.exchanged((0..<count).map { $0 == 0 ? own : nil })
      guard rank == 0 else { return [Tensor]() }
      let all = ParameterShards.joined(parts.compactMap { $0 })
      return zip(group.parameters, cut(all, of: group)).map { parameter, values in
        values.reshaped(parameters[parameter].shape)
      }
    }
    return rank == 0 ? gathered : nil
  }

  /// A checksum of all values: where the bits are the same, so is it.
  var checksum: Int64 {
    let checksums = parameters.map { parameter in
      parameter.value.read {
        CRC32C.checksum(of: UnsafeRawBufferPointer(start: $0, count: 4 * parameter.valueCount))
      }
    }
    return Int64(checksums.withUnsafeBytes { CRC32C.checksum(of: $0) })
  }

  // MARK: Groups

  /// The values of tensors one after another.
  private static func joined(_ tensors: [Tensor]) -> Tensor {
    Tensor(shape: [tensors.reduce(0) { $0 + $1.count }]) { target in
      var target = target
      for tensor in tensors {
        tensor.read { target.update(from: $0, count: tensor.count) }
        target += tensor.count
      }
    }
  }

  /// For each parameter of a group its values among those of a run, of the whole group if none is given.
  private func cut(_ values: Tensor, of group: Group, _ run: Range<Int>? = nil) -> [Tensor] {
    var next = 0
    return group.parameters.map { parameter in
      let count = part(of: parameter, run ?? 0..<values.count).count
      defer { next += count }
      return values.flatRows(next..<next + count)
    }
  }
}

extension Parameter {
  var valueCount: Int { shape.reduce(1, *) }
}

extension Tensor {
  /// Some of its values, one after another; nothing is copied.
  func flatRows(_ range: Range<Int>) -> Tensor {
    reshaped([count, 1]).rows(range).reshaped([range.count])
  }
}
