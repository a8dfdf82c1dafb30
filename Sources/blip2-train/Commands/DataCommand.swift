import ArgumentParser

/// `blip2-train data`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data before training on it, or pack it into shards.",
    discussion: """
      Wherever a path of data is asked for, it may be
        pairs.jsonl, pairs.json  {"image": "a.jpg", "caption": "…", "image_id": 7};
                                 "captions": ["…", "…"] for several
        pairs.csv, pairs.tsv     columns image (or filepath, path), caption (or
                                 title, text), image_id
        images/                  a.jpg with a.txt beside it, a caption a line
        shards/, a.tar, a-*.tar, a-{00000..00331}.tar
                                 WebDataset: a.jpg with a.txt or a.json,
                                 {"caption": "…", "image_id": 7}
      Names are bytes, and need not be UTF-8: messages write a byte as \\xE9, JSON as \\udce9.
      """,
    subcommands: [DataCheckCommand.self, DataPackCommand.self])
}
