import Foundation
import Tensors

/// The box of a random resized crop (Szegedy et al. 2015), as torchvision's `RandomResizedCrop`
/// chooses it: area and aspect ratio are drawn (the ratio log-uniformly) until the box fits, ten
/// times at most; then the largest box in the middle whose aspect ratio is allowed is taken.
public struct RandomResizedCrop: Sendable, Codable, Hashable {
  /// The smallest and largest share of the image's area.
  public var area: ClosedRange<Double>
  /// The smallest and largest width divided by height.
  public var aspectRatio: ClosedRange<Double>

  /// - Precondition: Areas lie in (0, 1], aspect ratios are positive.
  public init(area: ClosedRange<Double> = 0.5...1, aspectRatio: ClosedRange<Double> = 3 / 4...4 / 3)
  {
    precondition(area.lowerBound > 0 && area.upperBound <= 1, "areas \(area) are not in (0, 1]")
    precondition(
      aspectRatio.lowerBound > 0 && aspectRatio.upperBound.isFinite,
      "aspect ratios \(aspectRatio) are not positive numbers")
    self.area = area
    self.aspectRatio = aspectRatio
  }

  /// A box within an image of the given size.
  public func box(in size: ImageSize, using random: inout RandomStream) -> PixelBox {
    let pixels = Double(size.width) * Double(size.height)
    let logRatios = log(aspectRatio.lowerBound)...log(aspectRatio.upperBound)
    for _ in 0..<10 {
      let share = pixels * area.value(at: random.uniformDouble())
      let ratio = exp(logRatios.value(at: random.uniformDouble()))
      let width = Int((share * ratio).squareRoot().rounded(.toNearestOrEven))
      let height = Int((share / ratio).squareRoot().rounded(.toNearestOrEven))
      guard (1...size.width).contains(width), (1...size.height).contains(height) else { continue }
      let top = Int.random(in: 0...(size.height - height), using: &random)
      let left = Int.random(in: 0...(size.width - width), using: &random)
      return PixelBox(left: left, top: top, width: width, height: height)
    }
    return centralBox(in: size)
  }

  private func centralBox(in size: ImageSize) -> PixelBox {
    var (width, height) = (size.width, size.height)
    let ratio = Double(width) / Double(height)
    if ratio < aspectRatio.lowerBound {
      height = Int((Double(width) / aspectRatio.lowerBound).rounded(.toNearestOrEven))
    } else if ratio > aspectRatio.upperBound {
      width = Int((Double(height) * aspectRatio.upperBound).rounded(.toNearestOrEven))
    }
    (width, height) = (min(max(width, 1), size.width), min(max(height, 1), size.height))
    return PixelBox(
      left: (size.width - width) / 2, top: (size.height - height) / 2, width: width,
      height: height)
  }
}

extension ClosedRange<Double> {
  /// The number that lies at `fraction` of the way from the lower to the upper bound.
  fileprivate func value(at fraction: Double) -> Double {
    lowerBound + (upperBound - lowerBound) * fraction
  }
}
