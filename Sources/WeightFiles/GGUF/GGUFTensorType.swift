import Tensors

/// The types of a GGUF tensor, by the numbers of `ggml_type` in
/// https://github.com/ggml-org/ggml/blob/master/include/ggml.h.
struct GGUFTensorType {
  private let number: UInt32

  init(_ number: UInt32) { self.number = number }

  /// Nil for types that this program does not read.
  var form: StoredForm? {
    switch number {
    case 0: .elements(.float32)
    case 1: .elements(.float16)
    case 2: .blocks(.q40)
    case 3: .blocks(.q41)
    case 6: .blocks(.q50)
    case 7: .blocks(.q51)
    case 8: .blocks(.q80)
    case 12: .blocks(.q4K)
    case 13: .blocks(.q5K)
    case 14: .blocks(.q6K)
    case 24: .elements(.int8)
    case 25: .elements(.int16)
    case 26: .elements(.int32)
    case 27: .elements(.int64)
    case 28: .elements(.float64)
    case 30: .elements(.bfloat16)
    default: nil
    }
  }

  var name: String { form?.name ?? Self.namesOfOthers[number] ?? "GGUF type \(number)" }

  private static let namesOfOthers: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS",
    17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
    29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
  ]
}
