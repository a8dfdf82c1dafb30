import Glibc
import Tensors

/// The work of some key heads and tiles of one group, on one thread.
struct AttentionTask<Number: FusedNumber> {
  typealias Attention = FlashAttention<Number>

  let attention: Attention
  /// Its number in the layout.
  let group: Int
  let keyHeads: Range<Int>
  /// Which of the group's tiles are this task's: each `parts`-th from here on.
  let part: Int
  let parts: Int
  let operands: Attention.Operands

  private var shape: AttentionShape { attention.shape }
  private var width: Int { attention.shape.headWidth }
  private var dropout: Dropout? { attention.options.dropout }
  private var scale: Float { attention.options.scale }

  // MARK: Tiles

  /// Where all heads share the keys, a query row's heads are rows of one matrix: as many as make up for
  /// reading keys from afar.
  private var takesAllHeads: Bool { shape.keyHeadCount == 1 && shape.headCount > 1 }

  /// The task's tiles, of all heads or of the first one.
  private var tiles: [AttentionTile] {
    let rows = takesAllHeads ? max(1, 192 / shape.headCount) : Number.tileRows
    let all = attention.layout.groups[group].queries.flatMap { span in
      stride(from: 0, to: span.rows.count, by: rows).map { start in
        AttentionTile(
          span: span, rows: start..<min(span.rows.count, start + rows),
          heads: 0..<(takesAllHeads ? shape.headCount : 1), headCount: shape.headCount)
      }
    }
    return stride(from: part, to: all.count, by: parts).map { all[$0] }
  }

  private func forEachTile(
    _ tiles: [AttentionTile], keyHead: Int, _ body: (AttentionTile) -> Void
  ) {
    if takesAllHeads { return tiles.forEach(body) }
    for tile in tiles {
      for head in keyHead * shape.sharing..<(keyHead + 1) * shape.sharing {
        body(tile.with(head: head))
      }
    }
  }

  private func softmax(_ row: AttentionTile.Row, _ line: Int) -> SoftmaxRow {
    SoftmaxRow(
      visible: row.visible, length: line, scale: scale, isScaled: attention.biases != nil,
      dropout: dropout, place: row.draws)
  }

  /// The scores of a tile's queries, without their scale, or the gradients of its probabilities.
  private func multiply(
    _ x: UnsafePointer<Number>, _ tile: AttentionTile, by keys: PackedOperand<Number>,
    into lines: NumberBuffer<Float>, _ line: Int
  ) {
    Number.multiply(
      tile.view(x, width), keys, into: .float32(lines.pointer), cStride: line, fillsLines: true,
      rowScales: nil)
  }

  /// The product of a tile's lines, `[tile rows, keys]`, with key rows, in its places of y.
  private func multiply(
    _ lines: ElementView<Number>, by rows: PackedOperand<Number>,
    into y: UnsafeMutablePointer<Number>, _ tile: AttentionTile,
    rowScales: UnsafePointer<Float>? = nil
  ) {
    Number.multiply(
      lines, rows, into: ProductResult(y + tile.start(width)), cStride: tile.stride(width),
      fillsLines: false, rowScales: rowScales)
  }

  // MARK: Forward

  func forward(into y: UnsafeMutablePointer<Number>, keeping kept: Attention.Kept?) {
    let tiles = self.tiles
    if tiles.isEmpty { return }
    let keys = KeyRows<Number>(attention.layout.groups[group], shape)
    let workspace = AttentionWorkspace(shape, keys, tileRows: tiles.map(\.count).max() ?? 0)
    for keyHead in keyHeads {
      let keyColumns = PackedOperand(
        keys.view(operands.k, keyHead, copy: workspace.keyCopy), isTransposed: true,
        in: workspace.keyColumns.pointer)
      let valueRows = PackedOperand(
        keys.view(operands.v, keyHead, copy: workspace.valueCopy), isTransposed: false,
        in: workspace.rows.pointer)
      forEachTile(tiles, keyHead: keyHead) { tile in
        multiply(operands.q, tile, by: keyColumns, into: workspace.scores, workspace.line)
        multiply(
          exponentials(tile, workspace, kept, keys.innerCount), by: valueRows, into: y, tile,
          rowScales: UnsafePointer(workspace.rowScales.pointer))
      }
    }
    withExtendedLifetime(workspace) {}
  }

  /// The exponentials of a tile's scores after dropout; what its results are multiplied with is in the
  /// workspace.
  private func exponentials(
    _ tile: AttentionTile, _ workspace: AttentionWorkspace<Number>, _ kept: Attention.Kept?,
    _ innerCount: Int
  ) -> ElementView<Number> {
    let normalisers = kept?.normalisers.writable
    let (keptSums, exponentials) = (kept?.sums?.writable, kept?.exponentials?.pointer)
    tile.forEachRow { row in
      let line = workspace.scores.pointer + row.index * workspace.line
      attention.biases?.add(to: line, scale: scale, row)
      let own = exponentials.map { $0 + row.place * attention.keptLine }
      let e = workspace.p.pointer + row.index * workspace.line
      let softmax = softmax(row, workspace.line)
      let (largest, sum) = softmax.exponentials(of: line, into: own ?? e, drops: own == nil)
      let scale = (dropout?.scale ?? 1) / sum
      workspace.rowScales.pointer[row.index] = scale
      normalisers?[row.place] = own == nil ? largest + log(sum) : 1 / sum
      if dropout == nil {
        keptSums?[row.place] = 1
      } else if let own {
        keptSums?[row.place] = softmax.drop(own, into: e) * scale
      }
    }
    if dropout == nil, let exponentials {
      return tile.view(exponentials, attention.keptLine, columns: innerCount)
    }
    return workspace.view(workspace.p, tile, columns: innerCount)
  }

  // MARK: Backward

  func backward(_ differentials: Attention.Differentials, _ kept: Attention.Kept) {
    let tiles = self.tiles
    if tiles.isEmpty { return }
    let keys = KeyRows<Number>(attention.layout.groups[group], shape)
    let workspace = AttentionWorkspace(
      shape, keys, tileRows: tiles.map(\.count).max() ?? 0, isBackward: true,
      sumsKeys: differentials.dk != nil)
    for keyHead in keyHeads {
      let k = keys.view(operands.k, keyHead, copy: workspace.keyCopy)
      let v = keys.view(operands.v, keyHead, copy: workspace.valueCopy)
      let keyColumns =
        kept.exponentials == nil
        ? PackedOperand(k, isTransposed: true, in: workspace.keyColumns.pointer) : nil
      let keyRows = PackedOperand(k, isTransposed: false, in: workspace.rows.pointer)
      let valueColumns = PackedOperand(v, isTransposed: true, in: workspace.valueColumns.pointer)
      var beta: Float = 0
      forEachTile(tiles, keyHead: keyHead) { tile in
        if let keyColumns {
          multiply(operands.q, tile, by: keyColumns, into: workspace.scores, workspace.line)
        }
        multiply(differentials.dy, tile, by: valueColumns, into: workspace.dp, workspace.line)
        scoreGradients(tile, workspace, differentials, kept)
        if differentials.dk != nil {
          addKeyGradients(
            tile, workspace, dy: differentials.dy, keys.innerCount, beta: beta)
        }
        let ds = workspace.view(workspace.ds, tile, columns: keys.innerCount)
        multiply(ds, by: keyRows, into: differentials.dq, tile)
        beta = 1
      }
      if let dk = differentials.dk, let dv = differentials.dv {
        keys.store(workspace.dk, into: dk, keyHead)
        keys.store(workspace.dv, into: dv, keyHead)
      }
    }
    withExtendedLifetime(workspace) {}
  }

  /// Writes a tile's gradients of scores, and its probabilities after dropout if the gradients of keys are
  /// wanted. `delta = rowsum(dy · y)` is the sum of `p · dropout(dp)` (Dao et al. 2022, appendix B.2).
  private func scoreGradients(
    _ tile: AttentionTile, _ workspace: AttentionWorkspace<Number>,
    _ differentials: Attention.Differentials, _ kept: Attention.Kept
  ) {
    let (normalisers, keptSums) = (kept.normalisers.writable, kept.sums?.writable)
    tile.forEachRow { row in
      let start = row.index * workspace.line
      let (dp, ds) = (workspace.dp.pointer + start, workspace.ds.pointer + start)
      var delta = dotProduct(
        differentials.dy + row.place * width, differentials.y + row.place * width, count: width)
      if let shift = differentials.shifts?[row.place], let keptSums {
        delta += shift * keptSums[row.place]
        mapVectors(dp, into: dp, count: row.visible) { $0 + shift }
      }
      let softmax = softmax(row, workspace.line)
      if let e = kept.exponentials {
        softmax.gradients(
          exponentials: e.pointer + row.place * attention.keptLine,
          inverse: normalisers[row.place], dp: dp, delta: delta, into: ds)
      } else {
        let scores = workspace.scores.pointer + start
        attention.biases?.add(to: scores, scale: scale, row)
        softmax.gradients(
          scores: scores, logSum: normalisers[row.place], dp: dp, delta: delta,
          into: differentials.dk == nil ? nil : workspace.p.pointer + start, ds)
      }
      if let sums = differentials.biases {
        attention.biases?.addGradient(ds, row, group: group, to: sums)
      }
    }
  }

  /// dv += pᵀ · dy, dk += dsᵀ · q
  /// - Parameter beta: 0 for the first tile, which finds nothing to add to.
  private func addKeyGradients(
    _ tile: AttentionTile, _ workspace: AttentionWorkspace<Number>, dy: UnsafePointer<Number>,
    _ innerCount: Int, beta: Float
  ) {
    for (left, right, sum) in [
      (workspace.p, dy, workspace.dv), (workspace.ds, operands.q, workspace.dk),
    ] {
      Number.multiplyTransposed(
        workspace.view(left, tile, columns: innerCount), tile.view(right, width),
        into: sum.pointer, cStride: width, beta: beta, copies: workspace.copies.pointer)
    }
  }
}
