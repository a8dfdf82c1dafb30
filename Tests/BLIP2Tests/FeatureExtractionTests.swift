import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import BLIP2

/// Features outside training against the outputs of the original implementation.
@Suite struct FeatureExtractionTests {
  @Test(arguments: StageOneParityTests.files)
  func imagesTextsAndPairs(_ url: URL) throws {
    let golden = try StageOneGolden(url)
    let (model, texts) = (golden.model, golden.batch.texts)

    let images = model.unimodalFeatures(ofImages: golden.batch.features)
    try golden.expect(
      images.embeddings.reshaped(
        [texts.count, model.queryCount, model.configuration.qFormer.width]),
      equals: "query_output")
    let imageFeatures = model.imageFeatures(golden.batch.features)
    #expect(images.features.values == imageFeatures.values)

    let all = model.unimodalFeatures(ofTexts: texts)
    var classRows: [Int32] = []
    var row = 0
    for text in texts {
      classRows.append(Int32(row))
      row += text.count
    }
    #expect(all.embeddings.shape == [row, model.configuration.qFormer.width])
    try golden.expect(
      Variable(all.embeddings).gatheredRows(classRows).value, equals: "text_cls")
    let textFeatures = Variable(all.features).gatheredRows(classRows).value
    #expect(difference(textFeatures, model.textFeatures(texts), relative: 1e-5) == nil)
    for row in 0..<row {
      let length = all.features.rows(row..<row + 1).values.reduce(0) { $0 + $1 * $1 }
      #expect(abs(length - 1) < 1e-5)
    }

    let pairs = model.multimodalEmbeddings(images: golden.batch.features, texts: texts)
    let logits = model.matchingLogits(Variable(pairs)).value.values
    try golden.expect(
      Tensor(texts.indices.map { logits[2 * $0 + 1] }, shape: [texts.count]),
      equals: "itm_positive_logits")
  }
}
