/// Which way a fused operation's products go on the processor that the program runs on. Operations ask
/// here, and never which processor it is.
public enum FusedProducts {
  /// The precision in which attention multiplies heads of `headWidth` numbers.
  ///
  /// That is bfloat16 only where there are instructions for it: without them float32 is faster.
  /// - Parameter kept: The precision in which the numbers are kept.
  public static func precision(kept: ProductPrecision, headWidth: Int) -> ProductPrecision {
    kept == .bfloat16 && TiledProduct.isNative && headWidth % 2 == 0 ? .bfloat16 : .float32
  }

  /// Whether attention can absorb the maps of its keys and values that are multiplied in this precision.
  ///
  /// oneDNN's products of large matrices by AMX are so much faster than tiles that it would not pay.
  /// - Parameter inputs: The width of the rows that keys and values would be computed from.
  public static func canAbsorb(in precision: ProductPrecision, inputs: Int, headWidth: Int) -> Bool
  {
    precision == .float32
      || precision == .bfloat16 && TiledProduct.isPreferred && inputs % 2 == 0
        && headWidth % 2 == 0
  }
}
