import Foundation

/// A safetensors file with a tensor of each element type, written out byte by byte.
enum EveryElementType {
  static func file(headerPadding: String = "") -> Data {
    safetensors(header + headerPadding, data: data)
  }

  private static let data: [UInt8] =
    // F64: 1.5, -2
    [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0]
    // F32: 1, smallest subnormal
    + [0, 0, 0x80, 0x3F, 1, 0, 0, 0]
    // F16: 1, -2, 65504, 2^-24, infinity
    + [0, 0x3C, 0, 0xC0, 0xFF, 0x7B, 1, 0, 0, 0x7C]
    // BF16: 1, -2, 3.140625
    + [0x80, 0x3F, 0, 0xC0, 0x49, 0x40]
    // I64: -2; I32: -3; I16: -4; I8: -5; U8: 251; BOOL: 1, 0
    + [0xFE] + [UInt8](repeating: 0xFF, count: 7) + [0xFD, 0xFF, 0xFF, 0xFF]
    + [0xFC, 0xFF, 0xFB, 0xFB, 1, 0]

  private static let header = """
    {"f64":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},\
    "f32":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]},\
    "f16":{"dtype":"F16","shape":[5],"data_offsets":[24,34]},\
    "bf16":{"dtype":"BF16","shape":[3,1],"data_offsets":[34,40]},\
    "i64":{"dtype":"I64","shape":[],"data_offsets":[40,48]},\
    "i32":{"dtype":"I32","shape":[1],"data_offsets":[48,52]},\
    "i16":{"dtype":"I16","shape":[1],"data_offsets":[52,54]},\
    "i8":{"dtype":"I8","shape":[1],"data_offsets":[54,55]},\
    "u8":{"dtype":"U8","shape":[1],"data_offsets":[55,56]},\
    "bool":{"dtype":"BOOL","shape":[2],"data_offsets":[56,58]},\
    "none":{"dtype":"F32","shape":[3,0],"data_offsets":[58,58]}}
    """
}
