/// The floors of the house: which modules a module may import. What is not here is forbidden.
enum Floors {
  /// Part of every Swift installation; allowed on all floors, but see `withoutFoundation`.
  static let everywhere: Set<String> = ["Foundation", "Glibc", "Synchronization"]

  static let allowed: [String: Set<String>] = [
    "Files": ["COpenSSL"],
    "Tensors": ["COpenBLAS", "COneDNN", "CPlatform"],
    "Autograd": ["Tensors"],
    "Layers": ["Autograd", "Tensors"],
    "Tokenizers": ["CSentencePiece"],
    "WeightFiles": ["Layers", "Tensors", "Files"],
    "VisionEncoders": ["WeightFiles", "Layers", "Autograd", "Tensors"],
    "LanguageModels": ["WeightFiles", "Layers", "Autograd", "Tensors"],
    "BLIP2": [
      "VisionEncoders", "LanguageModels", "WeightFiles", "Layers", "Autograd", "Tensors",
    ],
    "Datasets": ["Tokenizers", "Tensors", "CTurboJPEG", "CSPNG", "CWebP", "Files"],
    "Checkpointing": ["CHDF5", "Files"],
    "Training": [
      "Checkpointing", "Datasets", "BLIP2", "LanguageModels", "VisionEncoders", "WeightFiles",
      "Tokenizers", "Layers", "Autograd", "Tensors", "Files", "Yams",
    ],
    // The command line sees every floor; of the C libraries only what their versions need.
    "blip2-train": [
      "Training", "Checkpointing", "Datasets", "BLIP2", "LanguageModels", "VisionEncoders",
      "WeightFiles", "Tokenizers", "Layers", "Autograd", "Tensors", "Files", "ArgumentParser",
      "CHDF5",
      "CSPNG", "CWebP", "CPlatform",
    ],
    // Stands beside the house: it reads the files that the program writes, and builds in seconds.
    "demo-report": ["ArgumentParser"],
  ]

  /// Folders whose code runs millions of times a step and stays clear of Foundation's conveniences.
  static let withoutFoundation = ["Sources/Tensors/Kernels/", "Sources/Autograd/"]
}
