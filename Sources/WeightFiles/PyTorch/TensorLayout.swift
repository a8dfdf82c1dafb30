import Files

/// How a tensor lies in its storage, held against the storage's size.
public struct TensorLayout: Sendable {
  /// A tensor that repeats elements (its strides are 0, or it overlaps itself) may be larger than its
  /// storage, up to so many bytes.
  static let maximumExpandedByteCount = 64 << 20

  let elementType: ElementType
  let shape: [Int]
  let elementCount: Int
  /// The first element and the distances to the next along each axis, in elements.
  let offset: Int
  let strides: [Int]
  /// The bytes of the file that the tensor is made from.
  let storage: Range<Int>

  /// - Throws: `FormatProblem` about the tensor `name`.
  init(
    _ name: String, elementType: ElementType, shape: [Int], strides: [Int], offset: Int,
    storage: Range<Int>
  ) throws {
    guard shape.count <= SafetensorsFile.maximumRank, strides.count == shape.count else {
      throw damaged(
        tensor: name, "as many strides as dimensions, at most \(SafetensorsFile.maximumRank)",
        "\(strides.count) and \(shape.count)")
    }
    guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
      throw damaged(
        tensor: name, "offset, shape and strides of 0 or more",
        "\(offset), \(shape) and \(strides)")
    }
    let width = elementType.byteCount
    guard let byteCount = (shape + [width]).countableProduct else {
      throw damaged(tensor: name, "a shape of countable size", "\(shape)")
    }
    if byteCount > 0 {
      let available = storage.count / width
      guard let last = Self.lastElement(shape, strides, offset), last < available else {
        throw damaged(
          tensor: name, "elements within the \(available) of its storage",
          "shape \(shape), strides \(strides) from \(offset)")
      }
      guard byteCount <= max(storage.count, Self.maximumExpandedByteCount) else {
        throw damaged(
          tensor: name,
          "at most \(Self.maximumExpandedByteCount) bytes where elements repeat", "\(byteCount)")
      }
    }
    self.elementType = elementType
    self.shape = shape
    elementCount = byteCount / width
    self.offset = offset
    self.strides = strides
    self.storage = storage
  }

  private static func lastElement(_ shape: [Int], _ strides: [Int], _ offset: Int) -> Int? {
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let (distance, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflow) = last.addingReportingOverflow(distance)
      if tooFar || overflow { return nil }
      last = sum
    }
    return last
  }

  /// How the tensor is read: where it lies, if it lies row by row.
  var entry: TensorEntry {
    contiguousRange.map { .stored(.elements(elementType), shape: shape, $0) } ?? .strided(self)
  }

  /// The bytes of the file that hold the tensor row by row, or nil where it must be put in that order.
  var contiguousRange: Range<Int>? {
    guard elementCount > 0 else { return storage.lowerBound..<storage.lowerBound }
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      guard stride == expected else { return nil }
      expected *= extent
    }
    let start = storage.lowerBound + offset * elementType.byteCount
    return start..<start + elementCount * elementType.byteCount
  }

  /// The tensor's elements, row by row.
  ///
  /// - Parameter bytes: The whole file.
  func gathered(from bytes: UnsafeRawBufferPointer) -> OwnedBytes {
    let owned = OwnedBytes(count: elementCount * elementType.byteCount)
    let source = UnsafeRawBufferPointer(rebasing: bytes[storage])
    switch elementType.byteCount {
    case 8: gather(UInt64.self, from: source, into: owned.bytes)
    case 4: gather(UInt32.self, from: source, into: owned.bytes)
    case 2: gather(UInt16.self, from: source, into: owned.bytes)
    default: gather(UInt8.self, from: source, into: owned.bytes)
    }
    return owned
  }

  /// Goes through all places but those of the last axis as an odometer does.
  private func gather<Element: BitwiseCopyable>(
    _ type: Element.Type, from source: UnsafeRawBufferPointer,
    into target: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Element>.size
    let (width, step) = (shape.last ?? 1, strides.last ?? 0)
    let outer = max(0, shape.count - 1)
    var place = [Int](repeating: 0, count: outer)
    var start = offset
    for row in 0..<(width > 0 ? elementCount / width : 0) {
      for column in 0..<width {
        let element = source.loadUnaligned(
          fromByteOffset: (start + column * step) * size, as: type)
        target.storeBytes(of: element, toByteOffset: (row * width + column) * size, as: type)
      }
      for axis in (0..<outer).reversed() {
        place[axis] += 1
        start += strides[axis]
        if place[axis] < shape[axis] { break }
        start -= place[axis] * strides[axis]
        place[axis] = 0
      }
    }
  }
}

/// Bytes that belong to this object.
final class OwnedBytes: @unchecked Sendable {  // Unchecked: written before it is shared.
  let bytes: UnsafeMutableRawBufferPointer

  init(count: Int) {
    bytes = .allocate(byteCount: count, alignment: 64)
  }

  deinit { bytes.deallocate() }
}
