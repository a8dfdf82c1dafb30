import Layers
import Tensors

extension WeightFolder {
  /// What a file gave to a model.
  public struct LoadReport: Equatable, Sendable {
    /// Parameters that the file has no tensor for; they keep their starting values.
    public var missing: [String] = []
    /// Tensors that no parameter took.
    public var unused: [String] = []

    public init(missing: [String] = [], unused: [String] = []) {
      self.missing = missing
      self.unused = unused
    }
  }

  /// Gives parameters the values of a file's tensors.
  /// - Parameters:
  ///   - mayBeMissing: Whether a parameter may keep its starting value.
  ///   - fileNames: The names, in order of preference, that a parameter may have in the file.
  ///   - adapt: Turns a stored tensor into one of the parameter's shape, where they differ on
  ///     purpose; nil refuses.
  /// - Throws: `WeightFileError.missingTensor` and `.wrongShape`, which names both shapes.
  public func load(
    into parameters: [NamedParameter], mayBeMissing: (String) -> Bool = { _ in false },
    fileNames: (String) -> [String],
    adapt: (_ name: String, _ stored: Tensor, _ parameter: Parameter) -> Tensor? = { _, _, _ in
      nil
    }
  ) throws -> LoadReport {
    var report = LoadReport()
    var used: Set<String> = []
    for entry in parameters {
      let candidates = fileNames(entry.name)
      guard let name = candidates.first(where: contains) else {
        guard mayBeMissing(entry.name) else {
          throw WeightFileError.missingTensor(
            file: url.path, tensor: candidates.first ?? entry.name)
        }
        report.missing.append(entry.name)
        continue
      }
      used.insert(name)
      let stored = try tensor(named: name)
      let parameter = entry.parameter
      if stored.shape == parameter.shape {
        parameter.value = try stored.tensor()
      } else if let adapted = adapt(entry.name, try stored.tensor(), parameter) {
        parameter.value = adapted
      } else {
        throw WeightFileError.wrongShape(
          file: stored.file.path, tensor: name, expected: parameter.shape, found: stored.shape)
      }
    }
    report.unused = names.filter { !used.contains($0) }
    return report
  }
}
