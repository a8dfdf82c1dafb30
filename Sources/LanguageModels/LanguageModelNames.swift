/// How the parameters of a language model are named in its public format.
struct LanguageModelNames {
  /// Beginnings of our names and of theirs, for all that is not in a block.
  let outer: [(ours: String, theirs: String)]
  /// Beginnings of the names of blocks: ours and theirs, both before the block's number.
  let blocks: [(ours: String, theirs: String)]
  /// The members of a block, such as `query` or `selfAttention.query`.
  let inner: [String: String]

  func callAsFunction(_ name: String) -> String {
    for (ours, theirs) in outer where name.hasPrefix(ours) {
      return theirs + name.dropFirst(ours.count)
    }
    for (ours, theirs) in blocks where name.hasPrefix(ours) {
      // The number, then the member and what is left of its name.
      let parts = name.dropFirst(ours.count).split(separator: ".", maxSplits: 1)
      guard parts.count == 2 else { return name }
      for (member, theirMember) in inner where parts[1].hasPrefix(member + ".") {
        return "\(theirs)\(parts[0]).\(theirMember)\(parts[1].dropFirst(member.count))"
      }
    }
    return name
  }
}
