import Foundation

/// An affine map of the plane, `x' = a·x + b·y + c`, `y' = d·x + e·y + f`, from an image to the warped one.
struct AffineMap {
  var (a, b, c, d, e, f) = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
}

extension AffineMap {
  /// Slants and moves.
  init(xFromY: Double = 0, yFromX: Double = 0, shiftX: Double = 0, shiftY: Double = 0) {
    (b, d, c, f) = (xFromY, yFromX, shiftX, shiftY)
  }

  /// Turns about the centre of an image, counter-clockwise as seen on the screen.
  /// - Parameter rotation: In degrees.
  init(rotation: Double, about image: ImageSize) {
    let angle = rotation * .pi / 180
    let (cosine, sine) = (cos(angle), sin(angle))
    let (x, y) = (Double(image.width) / 2, Double(image.height) / 2)
    (a, b, c) = (cosine, sine, (1 - cosine) * x - sine * y)
    (d, e, f) = (-sine, cosine, sine * x + (1 - cosine) * y)
  }

  /// The map back.
  var inverse: AffineMap {
    let determinant = 1 / (a * e - b * d)
    var map = AffineMap()
    (map.a, map.b) = (e * determinant, -b * determinant)
    (map.d, map.e) = (-d * determinant, a * determinant)
    map.c = -map.a * c - map.b * f
    map.f = -map.d * c - map.e * f
    return map
  }
}

extension RGBImage {
  /// The image moved by `map` within its frame, bilinear, with OpenCV's arithmetic: places in steps
  /// of 1/32 pixel, from sums in steps of 1/1024. Grey (128) stands where the image has gone.
  func warped(by map: AffineMap) -> RGBImage {
    let back = map.inverse
    let columns = (0..<width).map { x in
      (fixed(back.a * Double(x) * 1024), fixed(back.d * Double(x) * 1024))
    }
    return RGBImage(size) { output in
      var target = 0
      for y in 0..<height {
        // 16 rounds the sum to the nearest of the 32 steps.
        let startX = fixed((back.b * Double(y) + back.c) * 1024) + 16
        let startY = fixed((back.e * Double(y) + back.f) * 1024) + 16
        for column in columns {
          let (x, y) = ((startX + column.0) >> 5, (startY + column.1) >> 5)
          for channel in 0..<3 {
            output[target] = sample(x, y, channel)
            target += 1
          }
        }
      }
    }
  }

  private func fixed(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }

  /// The bilinear value at a place given in 1/32 of a pixel.
  private func sample(_ x: Int, _ y: Int, _ channel: Int) -> UInt8 {
    func pixel(_ x: Int, _ y: Int) -> Int {
      guard (0..<width).contains(x), (0..<height).contains(y) else { return 128 }
      return Int(pixels[(y * width + x) * 3 + channel])
    }
    let (left, top, right, down) = (x >> 5, y >> 5, x & 31, y & 31)
    let upper = pixel(left, top) * (32 - right) + pixel(left + 1, top) * right
    let lower = pixel(left, top + 1) * (32 - right) + pixel(left + 1, top + 1) * right
    return UInt8((upper * (32 - down) + lower * down + 512) >> 10)
  }
}
