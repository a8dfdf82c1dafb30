import LanguageModels
import Layers
import Testing
import VisionEncoders

@testable import BLIP2

/// Every parameter that a module stores is among its members: none stays silently untrained.
@Suite struct MembersTests {
  /// Sizes do not matter: no parameter draws its numbers here.
  private static func models() -> [any Module] {
    let initialiser = ParameterInitialiser(seed: 0)
    var smallOPT = OPTConfiguration()
    smallOPT.embeddingWidth = 512
    return [
      StageOneModel(StageOneConfiguration(), visionWidth: 8, seed: 0),
      StageTwoModel(StageTwoConfiguration(), visionWidth: 8, embeddingWidth: 8, seed: 0),
      EVAViT(EVAViTConfiguration(), initialiser), CLIPViT(CLIPViTConfiguration(), initialiser),
      DINOv2(DINOv2Configuration(), initialiser), OPT(smallOPT, initialiser),
      T5(.flanBase, hasOutputTable: true, initialiser), Llama(LlamaConfiguration(), initialiser),
    ]
  }

  @Test func storedParametersAreMembers() {
    for model in Self.models() {
      var modules = 0
      visit(
        model,
        modules: { module in
          modules += 1
          var left = Set<ObjectIdentifier>()
          visit(module, parameters: { left.insert(ObjectIdentifier($0)) })
          if let model = module as? StageTwoModel {
            // The text half has no part in stage 2.
            for entry in model.qFormer.namedParameters where Self.isOfText(entry.name) {
              #expect(left.remove(ObjectIdentifier(entry.parameter)) != nil)
            }
          }
          let named = Set(module.namedParameters.map { ObjectIdentifier($0.parameter) })
          #expect(left == named, "\(type(of: module))")
        })
      #expect(modules > 10, "\(type(of: model))")
    }
  }

  private static func isOfText(_ name: String) -> Bool {
    ["wordEmbeddings", "positionEmbeddings"].contains(name) || name.contains(".textFeedForward.")
  }

  /// Calls the closure with the value, if it is a module, and with all modules stored within.
  private func visit(_ value: Any, modules body: (any Module) -> Void) {
    if let module = value as? any Module { body(module) }
    if value is Parameter { return }
    for child in Mirror(reflecting: value).children { visit(child.value, modules: body) }
  }

  /// Calls the closure with all parameters stored within.
  private func visit(_ value: Any, parameters body: (Parameter) -> Void) {
    if let parameter = value as? Parameter { return body(parameter) }
    for child in Mirror(reflecting: value).children { visit(child.value, parameters: body) }
  }
}
