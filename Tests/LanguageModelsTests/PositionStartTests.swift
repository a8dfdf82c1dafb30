import Foundation
import LanguageModels
import Layers
import Tensors
import TestSupport
import Testing

/// What a new decoder knows of places.
@Suite struct PositionStartTests {
  @Test func sinesAndCosinesOfPlaces() {
    let table = PositionStart.sineCosineTable(length: 4, width: 4, deviation: 0.5)
    // Waves of 2π tokens and of 2π · √4; the mean square of a sine is a half.
    var values: [Float] = []
    for place in [Float(0), 1, 2, 3] {
      values += [sin(place), sin(place / 2), cos(place), cos(place / 2)]
    }
    let expected = Tensor(values, shape: [4, 4]) * (0.5 * Float(2).squareRoot())
    #expect(difference(table, expected, relative: 1e-6) == nil)
    let squares = table.values.reduce(0) { $0 + $1 * $1 } / 16
    #expect(abs(squares.squareRoot() - 0.5) < 1e-6)
  }

  @Test func aNewOPTMayStartFromThem() throws {
    var sizes = OPTConfiguration()
    (sizes.width, sizes.embeddingWidth, sizes.layers, sizes.heads) = (8, 8, 1, 2)
    (sizes.feedForwardWidth, sizes.vocabularySize, sizes.maximumPositions) = (8, 5, 6)
    sizes.initialDeviation = 0.1
    sizes.initialPositions = .sineCosine
    let model = OPT(sizes, ParameterInitialiser(seed: 1))
    let positions = try #require(
      model.namedParameters.first { $0.name == "positionEmbeddings" }?.parameter)
    // Two places stand in front of the first.
    let table = PositionStart.sineCosineTable(length: 8, width: 8, deviation: 0.1)
    #expect(positions.value.values == table.values)
  }
}
