// swift-tools-version: 6.2
import PackageDescription

/// The processor that kernels are compiled for: this machine's unless BLIP2_MARCH names another.
let march = Context.environment["BLIP2_MARCH"] ?? "native"

let swiftFlags: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=\(march)"])]
let cFlags: [CSetting] = [.unsafeFlags(["-march=\(march)"])]

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

func target(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftFlags)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: swiftFlags)
}

let package = Package(
  name: "blip2-train",
  products: [.executable(name: "blip2-train", targets: ["blip2-train"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    // What Swift cannot import by itself.
    .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CTurboJPEG", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CSPNG", providers: [.apt(["libspng-dev"])]),
    .systemLibrary(name: "CWebP", providers: [.apt(["libwebp-dev"])]),
    .target(name: "CPlatform", cSettings: cFlags),
    .target(name: "CMPI", cSettings: cFlags),
    .target(name: "CSentencePiece", linkerSettings: [.linkedLibrary("sentencepiece")]),

    // The floors, lowest first; `ArchitectureTests` holds their imports to this order.
    target("Files", ["COpenSSL", "CPlatform"]),
    target("Configuration", ["Files", yams]),
    target("Tensors", ["COpenBLAS", "COneDNN", "CPlatform"]),
    target("Autograd", ["Tensors"]),
    target("Layers", ["Autograd", "Tensors"]),
    target("Objectives", ["Autograd", "Tensors"]),
    target("MessagePassing", ["Objectives", "Tensors", "CMPI", "CPlatform"]),
    target("WeightFiles", ["Tensors", "Files"]),
    target("PublicFormats", ["WeightFiles", "Layers", "Tensors", "Files"]),
    target("VisionEncoders", ["PublicFormats", "WeightFiles", "Layers", "Autograd", "Tensors"]),
    target("LanguageModels", ["PublicFormats", "WeightFiles", "Layers", "Autograd", "Tensors"]),
    target(
      "BLIP2",
      [
        "Configuration", "Objectives", "LanguageModels", "PublicFormats", "WeightFiles", "Layers",
        "Autograd",
        "Tensors",
      ]),
    target("Tokenizers", ["CSentencePiece", "Files"]),
    target(
      "Datasets", ["Configuration", "Tensors", "CTurboJPEG", "CSPNG", "CWebP", "Files"]),
    target("Checkpointing", ["CHDF5", "Files"]),
    target("Metrics", []),
    target("Reporting", ["Files"]),
    target(
      "Training",
      [
        "Objectives", "Layers", "Autograd", "Tensors", "Datasets", "Checkpointing", "Reporting",
        "Configuration", "Files",
      ]),
    target(
      "Recipes",
      [
        "Training", "Reporting", "Metrics", "BLIP2", "Objectives", "LanguageModels",
        "VisionEncoders", "PublicFormats", "WeightFiles", "Layers", "Autograd", "Tensors",
        "Tokenizers", "Datasets", "Checkpointing", "Configuration", "Files",
      ]),
    .executableTarget(
      name: "blip2-train",
      dependencies: [
        "Recipes", "Training", "Reporting", "LanguageModels", "Checkpointing",
        "Datasets", "WeightFiles", "MessagePassing", "Objectives",
        "Tensors", "Configuration", "Files", "CPlatform", "CHDF5",
        "CSPNG", "CWebP", argumentParser,
      ],
      swiftSettings: swiftFlags),
    // Beside the house: a tool of the demo's, which reads what the program writes.
    .executableTarget(
      name: "demo-report", dependencies: ["Reporting", "Files", argumentParser],
      swiftSettings: swiftFlags),

    .target(
      name: "TestSupport",
      dependencies: [
        "Objectives", "LanguageModels", "Layers", "Autograd", "Tensors", "WeightFiles",
      ],
      path: "Tests/TestSupport", swiftSettings: swiftFlags),
    tests("FilesTests", ["Files", "TestSupport"]),
    tests("ConfigurationTests", ["Configuration"]),
    tests("TensorsTests", ["Tensors", "TestSupport"]),
    tests("AutogradTests", ["Autograd", "Layers", "Tensors", "TestSupport"]),
    tests("WeightFilesTests", ["WeightFiles", "Files", "Tensors", "TestSupport"]),
    tests(
      "VisionEncodersTests",
      [
        "VisionEncoders", "PublicFormats", "Layers", "Autograd", "Tensors", "WeightFiles",
        "TestSupport",
      ]),
    tests(
      "LanguageModelsTests",
      [
        "LanguageModels", "PublicFormats", "Layers", "Autograd", "Tensors", "WeightFiles",
        "TestSupport",
      ]),
    tests(
      "BLIP2Tests",
      [
        "BLIP2", "Objectives", "LanguageModels", "VisionEncoders", "PublicFormats", "Layers",
        "Autograd", "Tensors", "WeightFiles", "TestSupport",
      ]),
    tests("MessagePassingTests", ["MessagePassing", "Objectives", "Tensors", "TestSupport"]),
    tests("TokenizersTests", ["Tokenizers", "Files", "TestSupport"]),
    tests("DatasetsTests", ["Datasets", "Files", "Tensors", "TestSupport", "WeightFiles"]),
    tests("CheckpointingTests", ["Checkpointing", "CHDF5", "TestSupport", "Files"]),
    tests("MetricsTests", ["Metrics", "TestSupport"]),
    tests(
      "TrainingTests",
      ["Training", "Objectives", "Tensors", "Autograd", "Layers", "TestSupport"]),
    tests(
      "RecipesTests",
      [
        "Recipes", "Training", "Reporting", "Metrics", "BLIP2", "Objectives", "LanguageModels",
        "VisionEncoders", "PublicFormats",
        "WeightFiles", "Layers", "Autograd", "Tensors", "Tokenizers", "Datasets", "Checkpointing",
        "Configuration", "Files",
        "TestSupport",
      ]),
    tests("ArchitectureTests", []),
    tests(
      "CommandLineTests",
      [
        "blip2-train", "Recipes", "Training", "Reporting", "Checkpointing", "MessagePassing",
        "TestSupport",
      ]),
    tests("DemoReportTests", ["demo-report", "TestSupport"]),
  ],
  swiftLanguageModes: [.v5], cxxLanguageStandard: .cxx17
)
