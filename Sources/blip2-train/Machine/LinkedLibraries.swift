import CHDF5
import CSPNG
import CWebP
import Foundation
import Tensors
import Training

/// The C libraries that the program was started with.
struct LinkedLibrary: Codable {
  let name: String
  /// What the library says of itself; nil where it has no such function.
  let version: String?
  /// The file that was loaded; nil where it is part of the program.
  let file: String?

  static func all() -> [LinkedLibrary] {
    let files = loadedFiles(in: SystemText.read("/proc/self/maps", limit: 1 << 20) ?? "")
    func library(_ name: String, _ version: String?, _ prefix: String) -> LinkedLibrary {
      LinkedLibrary(
        name: name, version: version,
        file: files.first { ($0.split(separator: "/").last ?? "").hasPrefix(prefix) })
    }
    return [
      library("OpenBLAS", String(BLAS.configuration.trimmingPrefix("OpenBLAS ")), "libopenblas"),
      library("oneDNN", BLAS.oneDNNVersion, "libdnnl"),
      library("HDF5", hdf5Version(), "libhdf5"),
      library("libjpeg-turbo", nil, "libturbojpeg"),
      library("libspng", spng_version_string().map { String(cString: $0) }, "libspng"),
      library("libwebp", webPVersion(), "libwebp."),
    ].filter { $0.version != nil || $0.file != nil }
  }

  /// The shared libraries in the text of `/proc/self/maps`, each once.
  static func loadedFiles(in text: String) -> [String] {
    var seen: Set<String> = []
    return text.split(separator: "\n").compactMap { line in
      guard let start = line.firstIndex(of: "/") else { return nil }
      let path = String(line[start...])
      return path.contains(".so") && seen.insert(path).inserted ? path : nil
    }
  }

  private static func hdf5Version() -> String? {
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    guard H5get_libversion(&major, &minor, &release) >= 0 else { return nil }
    return "\(major).\(minor).\(release)"
  }

  /// Three bytes: major, minor, revision.
  private static func webPVersion() -> String {
    let version = WebPGetDecoderVersion()
    return "\(version >> 16 & 255).\(version >> 8 & 255).\(version & 255)"
  }
}
