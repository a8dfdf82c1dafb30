import Layers
import Tensors
import WeightFiles

/// How public files hold a model's parameters, for reading and for writing.
public struct PublicFormat: Sendable {
  /// How the numbers of one parameter lie in a file, where that is not as they lie here.
  public enum Form: Sendable {
    /// The same numbers in a shape that is made from ours.
    case reshaped(@Sendable (_ ours: [Int]) -> [Int])
    /// Equal parts of the first axis, each a tensor that stands beneath the public name; nil for zeros,
    /// which no file holds.
    case parts([String?])
  }

  let names: PublicNames
  /// By our names, with `#` for numbers.
  private let forms: [String: Form]
  /// How else files spell a name: what it begins or ends with, and what stands there instead.
  private let spellings: [(String, String)]
  /// What stands in front of all names, where the model is part of another.
  public var prefix = ""

  public init(
    _ names: PublicNames, forms: [String: Form] = [:], spellings: [(String, String)] = []
  ) {
    self.names = names
    self.forms = forms
    self.spellings = spellings
  }

  /// Whether the format has a name for one of our parameters.
  public func contains(_ name: String) -> Bool { names.theirs(of: name) != nil }

  /// The public name of one of our parameters, as it is written.
  /// - Precondition: The format has one.
  public func publicName(of name: String) -> String {
    guard let theirs = names.theirs(of: name) else {
      preconditionFailure("the public format has no name for \(name)")
    }
    return prefix + theirs
  }

  /// Our name of the parameter that a tensor belongs to; nil if it belongs to none.
  public func name(ofPublic tensor: String) -> String? {
    guard tensor.hasPrefix(prefix) else { return nil }
    guard let name = names.ours(of: String(tensor.dropFirst(prefix.count))) else { return nil }
    let pattern = pattern(of: name)
    for case (let ours, .parts(let parts)) in forms where pattern.hasPrefix(ours + ".") {
      let part = String(pattern.dropFirst(ours.count + 1))
      return parts.contains(part) ? String(name.dropLast(part.count + 1)) : nil
    }
    return name
  }

  /// The names that a parameter may have in a file, the one that is written first.
  public func fileNames(of name: String) -> [String] {
    var found = names.theirs(of: name).map { [$0] } ?? []
    for (usual, other) in spellings {
      found += found.compactMap {
        if $0.hasPrefix(usual) { return other + $0.dropFirst(usual.count) }
        return $0.hasSuffix(usual) ? $0.dropLast(usual.count) + other : nil
      }
    }
    return found.map { prefix + $0 }
  }

  /// The shape in which files hold a parameter of ours.
  public func publicShape(of name: String, _ shape: [Int]) -> [Int] {
    if case .reshaped(let shaped) = form(of: name) { return shaped(shape) }
    return shape
  }

  private func partShape(_ shape: [Int], _ parts: [String?]) -> [Int] {
    [shape[0] / parts.count] + shape.dropFirst()
  }

  private func form(of name: String) -> Form? { forms[pattern(of: name)] }

  private func pattern(of name: String) -> String {
    name.split(separator: ".").map { Int($0) == nil ? $0 : "#" }.joined(separator: ".")
  }

  /// What a file of this format holds of parameters, whose values are asked for when they are written.
  public func tensors(
    of parameters: [NamedParameter], precision: WrittenTensor.Precision
  ) -> [String: WrittenTensor] {
    var tensors: [String: WrittenTensor] = [:]
    for entry in parameters {
      let (name, parameter) = (publicName(of: entry.name), entry.parameter)
      guard case .parts(let parts) = form(of: entry.name) else {
        tensors[name] = WrittenTensor(
          shape: publicShape(of: entry.name, parameter.shape), precision: precision
        ) { parameter.value }
        continue
      }
      let shape = partShape(parameter.shape, parts)
      for case (let index, let part?) in parts.enumerated() {
        tensors["\(name).\(part)"] = WrittenTensor(shape: shape, precision: precision) {
          let whole = parameter.value.reshaped([parts.count, shape.reduce(1, *)])
          return whole.rows(index..<index + 1)
        }
      }
    }
    return tensors
  }
}

extension PublicFormat {
  /// Gives parameters the values of a file's tensors; float32 stays where it is mapped.
  /// - Parameters:
  ///   - mayBeMissing: Whether a parameter may keep its starting value.
  ///   - mayLackRows: Whether a file may have fewer rows of it; the others keep their starting values.
  ///   - freezing: Whether parameters are frozen, and matrices stay in the form in which they are stored.
  /// - Throws: `WeightFileError.missingTensor` and `.wrongShape`, which names both shapes as files have
  ///   them.
  @discardableResult public func load(
    into parameters: [NamedParameter], from weights: WeightFolder,
    mayBeMissing: (String) -> Bool = { _ in false },
    mayLackRows: (String) -> Bool = { _ in false }, freezing: Bool = false
  ) throws -> LoadReport {
    var report = LoadReport()
    var used: Set<String> = []
    for entry in parameters {
      let parameter = entry.parameter
      if case .parts(let parts) = form(of: entry.name) {
        used.formUnion(try load(parts, of: entry, from: weights))
        continue
      }
      let candidates = fileNames(of: entry.name)
      guard let name = candidates.first(where: weights.contains) else {
        guard mayBeMissing(entry.name) else {
          throw WeightFileError.missingTensor(
            file: weights.url.path, tensor: weights.likeliest(of: candidates) ?? entry.name)
        }
        report.missing.append(entry.name)
        continue
      }
      used.insert(name)
      let stored = try weights.tensor(
        named: name, shape: publicShape(of: entry.name, parameter.shape),
        orFewerRows: mayLackRows(entry.name))
      if stored.elementCount < parameter.shape.reduce(1, *) {
        parameter.value = parameter.value.replacingFirstRows(with: try stored.tensor())
      } else if freezing {
        try stored.freeze(parameter)
      } else {
        parameter.value = try stored.tensor().reshaped(parameter.shape)
      }
    }
    report.unused = weights.names.filter { !used.contains($0) }
    return report
  }

  /// - Returns: The tensors' names.
  private func load(
    _ parts: [String?], of entry: NamedParameter, from weights: WeightFolder
  ) throws -> [String] {
    let shape = partShape(entry.parameter.shape, parts)
    let names = parts.map { $0.map { "\(publicName(of: entry.name)).\($0)" } }
    let values = try names.flatMap { name in
      try name.map { try weights.tensor(named: $0, shape: shape, orFewerRows: false).floats() }
        ?? Array(repeating: 0, count: shape.reduce(1, *))
    }
    entry.parameter.value = Tensor(values, shape: entry.parameter.shape)
    return names.compactMap { $0 }
  }
}

extension WeightFolder {
  /// A name as it is written, with the prefix that one of its spellings has, if other names here have it.
  fileprivate func likeliest(of names: [String]) -> String? {
    guard let name = names.first else { return nil }
    return names.first { spelling in
      spelling.hasSuffix("." + name)
        && self.names.contains { $0.hasPrefix(spelling.dropLast(name.count)) }
    } ?? name
  }

  /// A tensor of a shape, or of fewer rows.
  /// - Throws: `WeightFileError.wrongShape`, which names both shapes.
  fileprivate func tensor(
    named name: String, shape expected: [Int], orFewerRows: Bool
  ) throws -> StoredTensor {
    let found = try shape(of: name)
    let fits =
      found == expected
      || orFewerRows && found.count == expected.count
        && found.dropFirst() == expected.dropFirst() && (found.first ?? 1) < expected[0]
    guard fits else {
      throw WeightFileError.wrongShape(
        file: try tensor(named: name).file.path, tensor: name, expected: expected, found: found)
    }
    return try tensor(named: name)
  }
}

extension StoredTensor {
  /// Matrices stay as they are stored; the others are a few rows, and are expanded.
  fileprivate func freeze(_ parameter: Parameter) throws {
    if shape.count == 2, let format = form.numberFormat, format != .float32 {
      parameter.freeze(as: try matrixWeight())
    } else {
      parameter.value = try tensor()
      parameter.isFrozen = true
    }
  }
}

extension Tensor {
  /// This tensor with its first rows taken from another of the same width.
  fileprivate func replacingFirstRows(with first: Tensor) -> Tensor {
    var result = copied()
    result.modify { target in first.read { target.update(from: $0, count: first.count) } }
    return result
  }
}
