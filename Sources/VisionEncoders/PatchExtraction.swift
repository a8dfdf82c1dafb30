import Tensors

/// Cuts images into square patches, so that a patch convolution is a linear map.
enum PatchExtraction {
  /// - Parameter pixels: `[images, 3, height, width]`; rows and columns beyond the last whole patch
  ///   are left out.
  /// - Returns: `[images · patches, 3 · side · side]`, patches row by row, each patch's values in the
  ///   order (channel, row, column) of a convolution's weight.
  static func patches(_ pixels: Tensor, side: Int) -> Tensor {
    let (images, channels) = (pixels.shape[0], pixels.shape[1])
    let (height, width) = (pixels.shape[2], pixels.shape[3])
    let (rows, columns) = (height / side, width / side)
    let patchWidth = channels * side * side
    return pixels.read { source in
      Tensor(shape: [images * rows * columns, patchWidth]) { target in
        Parallel.forEach(images * rows) { task in
          let (image, patchRow) = (task / rows, task % rows)
          for patchColumn in 0..<columns {
            let patch = target + (task * columns + patchColumn) * patchWidth
            for line in 0..<channels * side {
              let (channel, y) = (line / side, patchRow * side + line % side)
              let start = ((image * channels + channel) * height + y) * width
              (patch + line * side).update(
                from: source + start + patchColumn * side, count: side)
            }
          }
        }
      }
    }
  }
}
