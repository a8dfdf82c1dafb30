import Foundation
import Testing

@testable import Checkpointing

/// Checkpoints as others see them: `h5dump` and `h5diff` of the package hdf5-tools.
@Suite struct ToolsTests {
  let folder: ScratchFolder
  let url: URL

  init() throws {
    folder = try ScratchFolder()
    url = folder.file("step-00000040.h5")
    try Sample.write(to: url)
  }

  @Test func h5dumpShowsTheDocumentedLayout() throws {
    let (status, output) = try run("h5dump", ["-n", url.path])
    #expect(status == 0)
    let shown = output.split(separator: "\n").map { $0.split(separator: " ") }
      .filter { $0.count == 2 }.map { "\($0[0]) \($0[1])" }
    for expected in [
      "group /run", "dataset /run/formatVersion", "dataset /run/kind", "dataset /run/step",
      "dataset /run/epoch", "dataset /run/dataPosition", "dataset /run/seed",
      "dataset /run/configuration", "dataset /run/createdAt", "dataset /run/programVersion",
      "dataset /run/fingerprints/vision", "dataset /run/counters/bestValidation", "group /model",
      "dataset /model/qFormer/layers/0/key/weight", "group /optimizer",
    ] {
      #expect(shown.contains(expected), "\(expected) is not in \(output)")
    }
  }

  @Test(arguments: [
    ("/run/step", "(0): 40"), ("/run/seed", "(0): 18446744073709551614"),
    ("/run/kind", "(0): \"stage1\""), ("/run/counters/bestValidation", "(0): 0.1"),
    ("/run/fingerprints/vision", "(0): \"ab12\""), ("/run/formatVersion", "(0): 1"),
    ("/model/temperature", "H5T_IEEE_F32LE"), ("/model/temperature", "(0): 0.07"),
    ("/model/qFormer/layers/0/key/weight", "SIMPLE { ( 3, 5 ) / ( 3, 5 ) }"),
    ("/model/qFormer/layers/0/key/weight", "CONTIGUOUS"),
  ])
  func h5dumpShows(path: String, text: String) throws {
    let (status, output) = try run("h5dump", ["-p", "-d", path, url.path])
    #expect(status == 0)
    #expect(output.contains(text), "\(output)")
  }

  @Test func h5diffTellsEqualFromOther() throws {
    let other = folder.file("other.h5")
    try Sample.write(to: other, step: 41)
    for group in ["/model", "/optimizer"] {
      #expect(try run("h5diff", [url.path, other.path, group, group]).status == 0)
    }
    #expect(try run("h5diff", [url.path, other.path, "/run/step", "/run/step"]).status == 1)
    let changed = CheckpointArray(path: "model/temperature", shape: [], values: [0.08])
    try CheckpointWriter.write(
      to: other, metadata: Sample.metadata(),
      arrays: Sample.arrays.filter { $0.path != changed.path } + [changed])
    #expect(try run("h5diff", [url.path, other.path, "/model", "/model"]).status == 1)
  }
}
