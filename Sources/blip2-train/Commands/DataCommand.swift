import ArgumentParser

/// `blip2-train data`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data before training on it, or pack it into shards.",
    discussion: """
      Wherever a path of data is asked for, it may be
        pairs.json, pairs.jsonl      {"image": "a.jpg", "caption": "…" or ["…", …], "image_id": 7}
        pairs.csv, pairs.tsv         columns image (or filepath, path), caption (or title, text), \
      image_id
        pictures/                    a.jpg with a.txt beside it, a caption on each line
        shards/, a.tar, a-*.tar,     WebDataset: a.jpg with a.txt or a.json, \
      {"caption": …, "image_id": …}
        a-{00000..00331}.tar
      """,
    subcommands: [DataCheckCommand.self, DataPackCommand.self])
}
