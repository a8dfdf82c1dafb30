import Foundation
import Tensors

/// What a new table of positions holds before training.
public enum PositionStart: String, Codable, CaseIterable, Sendable {
  /// Normal numbers, as narrow as the other weights: places have to be learned first.
  case normal
  /// Sines and cosines of a token's place (Vaswani et al. 2017), or of a patch's column and row (Beyer
  /// et al. 2022). They are trained like the others.
  case sineCosine

  /// `[length, width]`: sines of each place and then their cosines, with waves of 2π tokens up to 2π times
  /// the length, whose root of the mean square is that of normal numbers of the given deviation.
  /// - Precondition: The width is a multiple of two.
  public static func sineCosineTable(length: Int, width: Int, deviation: Float) -> Tensor {
    precondition(width % 2 == 0, "the width \(width) is not a multiple of 2")
    let rows = (0..<length).flatMap { waves($0, count: width / 2, longest: length) }
    return Tensor(rows, shape: [length, width]) * (deviation * Float(2).squareRoot())
  }

  /// `[1, 1 + side · side, width]`: for each patch the sines of its column, their cosines, and then those of
  /// its row, with waves of 2π patches up to 2π times the grid's side; zeros for the class token.
  /// - Precondition: The width is a multiple of four.
  public static func sineCosineTable(side: Int, width: Int) -> Tensor {
    precondition(width % 4 == 0, "the width \(width) is not a multiple of 4")
    func waves(_ place: Int) -> [Float] {
      PositionStart.waves(place, count: width / 4, longest: side)
    }
    let rows = (0..<side * side).flatMap { waves($0 % side) + waves($0 / side) }
    return Tensor([Float](repeating: 0, count: width) + rows, shape: [1, 1 + side * side, width])
  }

  /// The sines of a place and their cosines, `count` each.
  private static func waves(_ place: Int, count: Int, longest: Int) -> [Float] {
    let angles = (0..<count).map { Float(place) * pow(Float(longest), -Float($0) / Float(count)) }
    return angles.map(sin) + angles.map(cos)
  }
}
