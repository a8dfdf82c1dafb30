import Foundation
import TestSupport
import Testing

/// The program under a low limit of open files, and with names that are not UTF-8.
struct OpenFilesTests {
  private let shell = URL(fileURLWithPath: "/bin/sh")

  /// Runs the program in a shell, since arguments here are texts and limits are of a process.
  /// - Parameter script: `"$0"` is the program, `$1` a folder.
  private func run(_ script: String, in folder: TemporaryFolder) throws -> BuiltTool.Result {
    try BuiltTool.run(
      ["-c", script, BuiltTool.url.path, folder.url.path], program: shell)
  }

  /// A table of so many images, which are one file under many paths.
  private func write(images count: Int, in folder: TemporaryFolder) throws {
    let images = Goldens.repository.appendingPathComponent("Data/demo/images")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: images.path).sorted().first)
    try folder.copy(images.appendingPathComponent(name), as: "image")
    let rows = (0..<count).map { String(repeating: "./", count: $0) + "image,caption \($0)" }
    try folder.write((["image,caption"] + rows).joined(separator: "\n"), to: "list.csv")
  }

  /// More shards than files may be open: none is left out.
  @Test func manyShardsArePackedWithFewOpenFiles() throws {
    let folder = try TemporaryFolder()
    try write(images: 140, in: folder)
    let shards = try run(
      "\"$0\" data pack \"$1/list.csv\" --output \"$1/shards\" --shard-size 1", in: folder)
    #expect(shards.output.hasPrefix("packed 140 images into 140 shards"), "\(shards.errors)")
    let packed = try run(
      "ulimit -n 64 && \"$0\" data pack \"$1/shards\" --output \"$1/packed\"", in: folder)
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(packed.output.hasPrefix("packed 140 images into 1 shard: "), "\(packed.output)")
    let again = try run("\"$0\" data pack \"$1/list.csv\" --output \"$1/direct\"", in: folder)
    #expect(again.status == 0)
    #expect(
      FileManager.default.contentsEqual(
        atPath: folder.path("packed/shard-000000.tar"),
        andPath: folder.path("direct/shard-000000.tar")))
  }

  /// Swift repairs arguments that are not UTF-8, which would then name no file.
  @Test func argumentsAreBytes() throws {
    let folder = try TemporaryFolder()
    try write(images: 3, in: folder)
    let result = try run(
      """
      name=$(printf 'bad\\377') && mv "$1/list.csv" "$1/$name.csv" \
      && "$0" data pack "$1/$name.csv" --output "$1/$name"; status=$?
      test -f "$1/$name/shard-000000.tar" && "$0" data pack "$1/none$name.csv" --output "$1/x"
      rm -r "$1/$name" "$1/$name.csv"; exit $status
      """, in: folder)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("packed 3 images into 1 shard: "))
    #expect(result.output.hasSuffix("/bad\\xFF\n"))
    #expect(result.errors.contains("/nonebad\\xFF.csv: cannot be read: No such file or directory"))
  }
}
