import Foundation
import Tensors

/// What a new encoder's table of positions holds before training.
public enum PositionStart: String, Codable, CaseIterable, Sendable {
  /// Normal numbers, as narrow as the other weights: places have to be learned first.
  case normal
  /// Sines and cosines of the patch's column and row (Beyer et al. 2022), with waves of 2π patches up
  /// to 2π times the grid's side; zeros for the class token. They are trained like the others.
  case sineCosine

  /// `[1, 1 + side · side, width]`: for each patch the sines of its column, their cosines, and then
  /// those of its row.
  /// - Precondition: The width is a multiple of four.
  static func sineCosineTable(side: Int, width: Int) -> Tensor {
    precondition(width % 4 == 0, "the width \(width) is not a multiple of 4")
    let frequencies = (0..<width / 4).map { pow(Float(side), -Float($0) / Float(width / 4)) }
    func waves(_ place: Int) -> [Float] {
      let angles = frequencies.map { Float(place) * $0 }
      return angles.map(sin) + angles.map(cos)
    }
    let rows = (0..<side * side).flatMap { waves($0 % side) + waves($0 / side) }
    return Tensor([Float](repeating: 0, count: width) + rows, shape: [1, 1 + side * side, width])
  }
}
