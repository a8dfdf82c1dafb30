import Tensors

/// A part of a model: its own parameters and further parts, each under a name.
public protocol Module {
  /// All parameters and modules that it stores, under the names of their properties and in the order in
  /// which these are declared, unless a module says something else.
  var members: [Member] { get }
}

/// One named member of a module.
public enum Member {
  case parameter(String, Parameter)
  case module(String, any Module)
}

/// A parameter with its full name, such as `qFormer.layers.0.crossAttention.key.weight`.
public struct NamedParameter {
  public let name: String
  public let parameter: Parameter

  public init(name: String, parameter: Parameter) {
    self.name = name
    self.parameter = parameter
  }
}

extension Module {
  public var members: [Member] {
    Mirror(reflecting: self).children.flatMap { child -> [Member] in
      let name = child.label ?? ""
      switch child.value {
      case let parameter as Parameter: return [.parameter(name, parameter)]
      case let part as any FlattenedPart: return part.members
      case let module as any Module: return [.module(name, module)]
      default: return []
      }
    }
  }

  /// All parameters below this module, in a fixed order.
  public var namedParameters: [NamedParameter] { namedParameters(under: "") }

  private func namedParameters(under prefix: String) -> [NamedParameter] {
    members.flatMap { member -> [NamedParameter] in
      switch member {
      case .parameter(let name, let parameter):
        [NamedParameter(name: prefix + name, parameter: parameter)]
      case .module(let name, let module):
        module.namedParameters(under: prefix + name + ".")
      }
    }
  }

  /// Multiplies in a precision; what is no linear map stays in float32.
  public func multiply(in precision: ProductPrecision) {
    for entry in namedParameters { entry.parameter.precision = precision }
  }

  public func freeze() {
    for entry in namedParameters { entry.parameter.isFrozen = true }
  }

  /// Freezes a model that no gradient passes through either.
  public func freezeForInference() {
    freeze()
    for entry in namedParameters { entry.parameter.isForInference = true }
  }
}

/// A part whose members stand among those of the module around it.
@propertyWrapper public struct Flattened<Part: Module>: Module, FlattenedPart {
  public var wrappedValue: Part

  public init(wrappedValue: Part) {
    self.wrappedValue = wrappedValue
  }

  public var members: [Member] { wrappedValue.members }
}

private protocol FlattenedPart: Module {}

/// An array of like modules, named by their numbers.
public struct ModuleList<Element: Module>: Module {
  public let elements: [Element]

  public init(_ elements: [Element]) {
    self.elements = elements
  }

  public var members: [Member] {
    elements.enumerated().map { .module(String($0.offset), $0.element) }
  }
}

/// A module without its members of some names, at any depth.
public struct Pruned: Module {
  public let members: [Member]

  public init(_ module: any Module, without names: Set<String>) {
    members = module.members.compactMap { member in
      switch member {
      case .parameter(let name, _): names.contains(name) ? nil : member
      case .module(let name, let part):
        names.contains(name) ? nil : .module(name, Pruned(part, without: names))
      }
    }
  }
}
