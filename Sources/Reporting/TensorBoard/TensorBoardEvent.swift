/// One record of an event file: TensorFlow's `Event` message, as far as a run needs it
/// (tensorboard/compat/proto/event.proto and summary.proto).
struct TensorBoardEvent {
  /// Seconds since 1970.
  var wallTime: Double
  var step = 0
  var content: Content

  enum Content {
    /// The first record of a file, and who wrote it.
    case version(writer: String)
    /// The run begins, or goes on: what earlier files say of this step and later ones no longer holds.
    case start
    case summary([Value])
  }

  /// A number, image or text under a tag.
  enum Value {
    case scalar(tag: String, Double)
    case image(tag: String, EncodedImage)
    /// Rows of equally many cells; TensorBoard shows them as a table.
    case table(tag: String, [[String]])
  }

  /// The message's bytes.
  var bytes: [UInt8] {
    var event = ProtobufMessage()
    event.add(1, wallTime)
    if step != 0 { event.add(2, step) }
    switch content {
    case .version(let writer):
      event.add(3, "brain.Event:2")
      event.add(10) { $0.add(1, writer) }
    case .start:
      event.add(7) { $0.add(1, 1) }
    case .summary(let values):
      event.add(5) { summary in
        for value in values { summary.add(1, value.write) }
      }
    }
    return event.bytes
  }
}

extension TensorBoardEvent.Value {
  /// `Summary.Value`.
  fileprivate func write(to message: inout ProtobufMessage) {
    switch self {
    case .scalar(let tag, let number):
      message.add(1, tag)
      message.add(2, Float(number))
    case .image(let tag, let image):
      message.add(1, tag)
      message.add(4) {
        $0.add(1, image.height)
        $0.add(2, image.width)
        // Red, green, blue.
        $0.add(3, 3)
        $0.add(4, image.png)
      }
    case .table(let tag, let rows):
      message.add(1, tag)
      message.add(8) { Self.write(rows, to: &$0) }
      // The plugin that shows it.
      message.add(9) { $0.add(1) { $0.add(1, "text") } }
    }
  }

  /// A `TensorProto` of strings, `[rows, columns]`.
  private static func write(_ rows: [[String]], to tensor: inout ProtobufMessage) {
    // DT_STRING.
    tensor.add(1, 7)
    tensor.add(2) { shape in
      for size in [rows.count, rows.first?.count ?? 0] {
        shape.add(2) { $0.add(1, size) }
      }
    }
    for cell in rows.joined() { tensor.add(8, cell) }
  }
}
