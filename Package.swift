// swift-tools-version: 6.1
import PackageDescription

/// The processor that kernels are compiled for: this machine's unless BLIP2_MARCH names another.
let march = Context.environment["BLIP2_MARCH"] ?? "native"

let swiftFlags: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=\(march)"])]
let cFlags: [CSetting] = [.unsafeFlags(["-march=\(march)"])]

func target(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftFlags)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: swiftFlags)
}

let package = Package(
  name: "blip2-train",
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")
  ],
  targets: [
    .systemLibrary(name: "COpenBLAS"),
    .target(name: "CPlatform", cSettings: cFlags),
    target("Tensors", ["COpenBLAS", "CPlatform"]),
    target("Autograd", ["Tensors"]),
    target("Layers", ["Autograd", "Tensors"]),
    target(
      "WeightFiles", ["Layers", "Tensors", .product(name: "Crypto", package: "swift-crypto")]),
    target("VisionEncoders", ["Layers", "Autograd", "Tensors", "WeightFiles"]),
    target("BLIP2", ["VisionEncoders", "WeightFiles", "Layers", "Autograd", "Tensors"]),
    .target(
      name: "TestSupport", dependencies: ["Autograd", "Tensors", "WeightFiles"],
      path: "Tests/TestSupport", swiftSettings: swiftFlags),
    tests("AutogradTests", ["Autograd", "Tensors", "TestSupport"]),
    tests(
      "BLIP2Tests", ["BLIP2", "Layers", "Autograd", "Tensors", "WeightFiles", "TestSupport"]),
  ],
  swiftLanguageModes: [.v5]
)
