import Tensors

/// The types of a GGUF tensor, by the numbers of `ggml_type` in
/// https://github.com/ggml-org/ggml/blob/master/include/ggml.h.
struct GGUFTensorType {
  private let number: UInt32

  init(_ number: UInt32) { self.number = number }

  /// Nil for types that this program does not read.
  var form: StoredForm? { Self.forms[number] }

  var name: String { form?.name ?? Self.namesOfOthers[number] ?? "GGUF type \(number)" }

  private static let forms: [UInt32: StoredForm] = [
    0: .elements(.float32), 1: .elements(.float16), 2: .blocks(.q40), 3: .blocks(.q41),
    6: .blocks(.q50), 7: .blocks(.q51), 8: .blocks(.q80), 12: .blocks(.q4K), 13: .blocks(.q5K),
    14: .blocks(.q6K), 24: .elements(.int8), 25: .elements(.int16), 26: .elements(.int32),
    27: .elements(.int64), 28: .elements(.float64), 30: .elements(.bfloat16),
  ]

  private static let namesOfOthers: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS",
    17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
    29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
  ]
}
