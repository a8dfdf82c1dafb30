/// Finds what belongs to an image by its path, of which files have now more and now less: answers
/// name `/data/demo/images/a.webp`, lists `images/a.webp`.
struct ImageIndex<Value> {
  private var byName: [String: [(parts: [Substring], value: Value)]] = [:]

  /// The values of a path stay in their order.
  mutating func add(_ value: Value, at path: String) {
    let parts = path.split(separator: "/")
    byName[parts.last.map(String.init) ?? "", default: []].append((parts, value))
  }

  /// Those whose paths have the most of their last parts in common with this one, and at least the
  /// file's name.
  func values(at path: String) -> [Value] {
    let parts = path.split(separator: "/")
    let found = byName[parts.last.map(String.init) ?? ""] ?? []
    let common = found.map { zip($0.parts.reversed(), parts.reversed()).prefix(while: ==).count }
    let most = common.max() ?? 0
    return zip(found, common).filter { $0.1 == most }.map(\.0.value)
  }
}
