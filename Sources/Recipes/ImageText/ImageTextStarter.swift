import Training

/// What recipes of images with captions have in common where one begins.
extension ImageTextConfiguration {
  /// Sets the sections that they share.
  mutating func begin(in output: String) {
    run.output = output
    run.precision = .bfloat16
    run.training.steps = 20_000
    run.training.learningRate.warmupSteps = 1000
    vision.path = "Weights/clip-vit-large-patch14"
    data.train.path = "my/images"
    data.validation.path = "my/heldout"
  }

  /// The keys that are shown of them, with what is said of each beside its meaning.
  static var imageTextStarterKeys: [String: String] {
    let keys = [
      "vision.path": "For example huggingface.co/openai/clip-vit-large-patch14 (config.json, "
        + "model.safetensors).",
      "vision.cache": "", "data.train.path": "", "data.validation.path": "", "validation.every": "",
    ]
    return starterKeys.merging(keys) { $1 }
  }
}
