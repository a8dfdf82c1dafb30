import Tensors

/// RandAugment (Cubuk et al. 2019) as the original BLIP-2 code applies it to Visual Genome: some
/// operations, each drawn from the ten below and done half of the time, all at one magnitude.
public struct RandAugment: Sendable, Codable, Hashable {
  /// The operations drawn for each image.
  public var operations: Int
  /// How strong they are, 0 to 10.
  public var magnitude: Double

  /// - Precondition: 1 to 16 operations of a magnitude from 0 to 10.
  public init(operations: Int = 2, magnitude: Double = 5) {
    precondition((1...16).contains(operations), "\(operations) operations; expected 1 to 16")
    precondition((0...10).contains(magnitude), "the magnitude \(magnitude) is not in 0...10")
    self.operations = operations
    self.magnitude = magnitude
  }

  /// The operations, in the original's order.
  enum Operation: CaseIterable {
    case identity, autoContrast, brightness, sharpness, equalize
    case shearX, shearY, translateX, translateY, rotate
  }

  /// The image after the operations that `random` draws.
  func apply(to image: RGBImage, using random: inout RandomStream) -> RGBImage {
    var image = image
    let drawn = (0..<operations).map { _ in
      Operation.allCases[Int(random.number(below: UInt32(Operation.allCases.count)))]
    }
    for operation in drawn {
      // Both numbers are drawn whatever the operation, so that each has its own place.
      let (isDone, isReversed) = (random.uniform() < 0.5, random.uniform() < 0.5)
      if isDone { image = apply(operation, to: image, direction: isReversed ? -1 : 1) }
    }
    return image
  }

  /// One operation at the magnitude.
  /// - Parameter direction: 1 or -1, for those that go either way.
  func apply(_ operation: Operation, to image: RGBImage, direction: Double) -> RGBImage {
    let share = magnitude / 10
    // 1 leaves the image as it is; the range is 0.1 to 1.9.
    let factor = share * 1.8 + 0.1
    switch operation {
    case .identity: return image
    case .autoContrast: return image.withFullContrast()
    case .brightness: return image.brightened(by: Float(factor))
    case .sharpness: return image.sharpened(by: Float(factor))
    case .equalize: return image.equalized()
    case .shearX: return image.warped(by: AffineMap(xFromY: share * 0.3 * direction))
    case .shearY: return image.warped(by: AffineMap(yFromX: share * 0.3 * direction))
    case .translateX: return image.warped(by: AffineMap(shiftX: -share * 10 * direction))
    case .translateY: return image.warped(by: AffineMap(shiftY: -share * 10 * direction))
    case .rotate:
      return image.warped(by: AffineMap(rotation: share * 30 * direction, about: image.size))
    }
  }
}
