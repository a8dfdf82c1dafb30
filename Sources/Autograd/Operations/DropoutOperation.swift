import Tensors

extension Variable {
  /// Dropout: values zeroed at random, the others scaled up (Srivastava et al. 2014).
  ///
  /// Pullback: `dx = mask · dy`, the mask drawn anew from the same places.
  /// - Parameters:
  ///   - dropout: nil leaves the values alone.
  ///   - places: Where each row's draws belong.
  public func dropout(_ dropout: Dropout?, places: [RandomPlace]) -> Variable {
    guard let dropout, dropout.rate > 0 else { return self }
    precondition(
      places.count == value.rowCount, "\(places.count) places for the rows of \(shape)")
    return .recording(value.dropped(by: dropout, places: places), from: self) { dy in
      dy.dropped(by: dropout, places: places)
    }
  }
}

extension Tensor {
  fileprivate func dropped(by dropout: Dropout, places: [RandomPlace]) -> Tensor {
    read { x in
      Tensor(shape: shape) { y in
        Parallel.forEachRun(of: rowCount, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            dropout.apply(
              to: y + row * width, from: x + row * width, count: width, place: places[row])
          }
        }
      }
    }
  }
}
