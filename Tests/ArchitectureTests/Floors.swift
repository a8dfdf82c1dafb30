/// The floors of the house: which modules a module may import. What is not here is forbidden.
enum Floors {
  /// Part of every Swift installation; allowed on all floors, but see `withoutFoundation`.
  static let everywhere: Set<String> = ["Foundation", "Glibc", "Synchronization"]

  static let allowed: [String: Set<String>] = [
    "Files": ["COpenSSL"],
    "Configuration": ["Yams"],
    "Tensors": ["COpenBLAS", "COneDNN", "CPlatform"],
    "Autograd": ["Tensors"],
    "Layers": ["Autograd", "Tensors"],
    "Tokenizers": ["CSentencePiece", "Files"],
    "WeightFiles": ["Layers", "Tensors", "Files"],
    "VisionEncoders": ["WeightFiles", "Layers", "Autograd", "Tensors"],
    "LanguageModels": ["WeightFiles", "Layers", "Autograd", "Tensors"],
    "BLIP2": [
      "Configuration", "VisionEncoders", "LanguageModels", "WeightFiles", "Layers", "Autograd",
      "Tensors",
    ],
    "Datasets": [
      "Configuration", "Tensors", "CTurboJPEG", "CSPNG", "CWebP", "Files",
    ],
    "Checkpointing": ["CHDF5", "Files"],
    "Training": [
      "Checkpointing", "Datasets", "WeightFiles", "Layers", "Autograd", "Tensors", "Configuration",
      "Files",
    ],
    "Recipes": [
      "Training", "Checkpointing", "Datasets", "BLIP2", "LanguageModels", "VisionEncoders",
      "WeightFiles", "Tokenizers", "Layers", "Autograd", "Tensors", "Configuration", "Files",
    ],
    // The command line sees every floor; of the C libraries only what their versions need.
    "blip2-train": [
      "Recipes", "Training", "Checkpointing", "Datasets", "BLIP2", "LanguageModels",
      "VisionEncoders",
      "WeightFiles", "Tokenizers", "Layers", "Autograd", "Tensors", "Configuration", "Files",
      "ArgumentParser",
      "CHDF5",
      "CSPNG", "CWebP", "CPlatform",
    ],
    // Stands beside the house: it reads the files that the program writes, and builds in seconds.
    "demo-report": ["ArgumentParser"],
  ]

  /// Folders whose code runs millions of times a step and stays clear of Foundation's conveniences.
  static let withoutFoundation = ["Sources/Tensors/Kernels/", "Sources/Autograd/"]
}
