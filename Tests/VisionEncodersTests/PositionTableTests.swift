import Autograd
import Tensors
import TestSupport
import Testing

@testable import VisionEncoders

/// Position tables for other grids than their own, in every family.
@Suite struct PositionTableTests {
  /// Bicubic interpolation written down as its definition: for each place, the sixteen neighbours in
  /// double precision, a = −0.75, places outside take the edge.
  private func naivelyResized(_ table: Tensor, side: Int, rows: Int, columns: Int) -> [Float] {
    func cubic(_ distance: Double) -> Double {
      let (a, x) = (-0.75, abs(distance))
      if x <= 1 { return (a + 2) * x * x * x - (a + 3) * x * x + 1 }
      return x < 2 ? a * (x * x * x - 5 * x * x + 8 * x - 4) : 0
    }
    let (values, width) = (table.values, table.shape[1])
    var result: [Float] = []
    for row in 0..<rows {
      for column in 0..<columns {
        let y = (Double(row) + 0.5) * Double(side) / Double(rows) - 0.5
        let x = (Double(column) + 0.5) * Double(side) / Double(columns) - 0.5
        for channel in 0..<width {
          var sum = 0.0
          for j in Int(y.rounded(.down)) - 1...Int(y.rounded(.down)) + 2 {
            for i in Int(x.rounded(.down)) - 1...Int(x.rounded(.down)) + 2 {
              let place = min(max(j, 0), side - 1) * side + min(max(i, 0), side - 1)
              sum +=
                cubic(y - Double(j)) * cubic(x - Double(i))
                * Double(values[place * width + channel])
            }
          }
          result.append(Float(sum))
        }
      }
    }
    return result
  }

  private func embedding(of encoder: any VisionEncoder) throws -> PatchEmbedding {
    switch encoder {
    case let encoder as CLIPViT: return encoder.embedding
    case let encoder as DINOv2: return encoder.embedding
    default: return try #require(encoder as? EVAViT).embedding
    }
  }

  @Test(arguments: TinyEncoder.allCases, [[3, 5], [2, 2], [1, 7], [4, 3]])
  func otherGrids(_ kind: TinyEncoder, grid: [Int]) throws {
    let (rows, columns) = (grid[0], grid[1])
    let encoder = kind.made
    let embedding = try embedding(of: encoder)
    let own = embedding.positions.value.reshaped([10, encoder.width])
    let table = embedding.positionTable(rows: rows, columns: columns).value
    #expect(table.shape == [1 + rows * columns, encoder.width])
    // The class token's position stays as it is.
    #expect(table.rows(0..<1).values == own.rows(0..<1).values)
    let expected = Tensor(
      naivelyResized(own.rows(1..<10), side: 3, rows: rows, columns: columns),
      shape: [rows * columns, encoder.width])
    let text = difference(
      table.rows(1..<1 + rows * columns), expected, relative: 1e-5)
    #expect(text == nil)
    #expect(encoder.tokenCount(height: 2 * rows, width: 2 * columns) == 1 + rows * columns)
  }

  /// A strided convolution does not see what is left after the last whole patch.
  @Test(arguments: TinyEncoder.allCases, [[30, 30], [31, 28], [13, 10], [4, 7]])
  func whatIsLeftAtTheEdgesIsNotSeen(_ kind: TinyEncoder, size: [Int]) {
    let encoder = kind.made(patchSize: 4, imageSize: 30)
    #expect(encoder.nativeImageSize == 30)
    let (height, width) = (size[0], size[1])
    let (rows, columns) = (height / 4, width / 4)
    let pixels = randomTensor([2, 3, height, width], seed: 1)
    let values = pixels.values
    var cut: [Float] = []
    for plane in 0..<6 {
      for row in 0..<4 * rows {
        let start = (plane * height + row) * width
        cut += values[start..<start + 4 * columns]
      }
    }
    let features = encoder.features(pixels, output: encoder.wholeOutput).value
    #expect(features.shape == [2, 1 + rows * columns, encoder.width])
    #expect(encoder.tokenCount(height: height, width: width) == 1 + rows * columns)
    let whole = Tensor(cut, shape: [2, 3, 4 * rows, 4 * columns])
    #expect(
      features.values == encoder.features(whole, output: encoder.wholeOutput).value.values)
  }

  /// A public folder of such a size is read and written as any other.
  @Test(arguments: TinyEncoder.allCases)
  func foldersWithSuchASize(_ kind: TinyEncoder) throws {
    let encoder = kind.made(patchSize: 4, imageSize: 30)
    let folder = try EncoderFolder(encoder)
    let read = try VisionEncoderFamily.encoder(at: folder.url)
    #expect(read.nativeImageSize == 30 && read.patchSize == 4)
    let pixels = randomTensor([1, 3, 30, 30], seed: 2)
    #expect(
      read.features(pixels, output: read.wholeOutput).value.values
        == encoder.features(pixels, output: encoder.wholeOutput).value.values)
  }
}
