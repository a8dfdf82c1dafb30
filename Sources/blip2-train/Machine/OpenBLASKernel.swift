/// The vector instructions that a family of OpenBLAS kernels uses, as far as they decide speed.
enum VectorLevel: Comparable {
  /// At most 128 bits, or AVX without fused multiply-add.
  case plain
  case avx2
  case avx512

  /// The best that a processor with these features offers.
  init(processorFeatures features: [String]) {
    if features.contains("avx512f") {
      self = .avx512
    } else if features.contains("avx2"), features.contains("fma") {
      self = .avx2
    } else {
      self = .plain
    }
  }

  /// What the kernels of this name use (OpenBLAS's `TargetList.txt`), or nil for a name that is
  /// not known, such as one of a later release.
  init?(kernelName: String) {
    switch kernelName.lowercased() {
    case "skylakex", "cooperlake", "sapphirerapids": self = .avx512
    case "haswell", "zen", "excavator": self = .avx2
    case "prescott", "core2", "penryn", "dunnington", "nehalem", "sandybridge", "atom", "nano",
      "katmai", "coppermine", "northwood", "banias", "athlon", "opteron", "opteron_sse3",
      "barcelona", "bobcat", "bulldozer", "piledriver", "steamroller":
      self = .plain
    default: return nil
    }
  }

  /// The instructions' common name.
  var name: String {
    switch self {
    case .plain: "SSE or AVX"
    case .avx2: "AVX2"
    case .avx512: "AVX-512"
    }
  }
}
