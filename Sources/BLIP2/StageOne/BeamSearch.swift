import Glibc
import Tensors

/// The beam search of one caption, by the rule of the libraries that the original used
/// (transformers up to 4.31): finished captions compare by summed log-probability divided by the
/// number of tokens before the end token, the first one included.
struct BeamSearch {
  struct Beam {
    var tokens: [Int32]
    var score: Float
  }

  private let options: Captioner.Options
  private let end: Int32
  /// Captions under way, the best first.
  private(set) var running: [Beam]
  /// Finished captions with their final scores, at most as many as beams.
  private var finished: [Beam] = []
  private(set) var isDone = false

  init(_ options: Captioner.Options, start: Int32, end: Int32) {
    self.options = options
    self.end = end
    running = [Beam(tokens: [start], score: 0)]
  }

  /// The caption found, ending in the end token if it came.
  var best: [Int32] {
    finished.max { $0.score < $1.score }?.tokens ?? running[0].tokens
  }

  /// Takes the logits after each running caption, `[running, vocabulary]`.
  mutating func advance(_ logits: Tensor) {
    let length = running[0].tokens.count
    let candidates = bestCandidates(logits, count: 2 * options.beams)
    let highest = candidates.first?.score ?? -.infinity
    var next: [Beam] = []
    for (rank, candidate) in candidates.enumerated() where next.count < options.beams {
      let tokens = running[candidate.beam].tokens
      if candidate.token == end {
        if rank < options.beams {
          finish(Beam(tokens: tokens + [end], score: candidate.score), length: length)
        }
      } else {
        next.append(Beam(tokens: tokens + [candidate.token], score: candidate.score))
      }
    }
    running = next
    if options.beams == 1, !finished.isEmpty { isDone = true }
    if finished.count == options.beams, let worst = finished.map(\.score).min() {
      isDone = isDone || worst >= highest / penalty(length)
    }
    if !isDone, length + 1 == options.maximumLength {
      for beam in running { finish(beam, length: length + 1) }
      isDone = true
    }
  }

  private func penalty(_ length: Int) -> Float { pow(Float(length), options.lengthPenalty) }

  /// Keeps the best finished captions, as many as there are beams.
  private mutating func finish(_ beam: Beam, length: Int) {
    finished.append(Beam(tokens: beam.tokens, score: beam.score / penalty(length)))
    if finished.count > options.beams {
      finished.sort { $0.score > $1.score }
      finished.removeLast()
    }
  }

  private struct Candidate {
    let score: Float
    let beam: Int
    let token: Int32
  }

  /// The best continuations of all running captions, by summed log-probability.
  private func bestCandidates(_ logits: Tensor, count: Int) -> [Candidate] {
    let width = logits.width
    let endIsBarred = running[0].tokens.count < options.minimumLength
    var best: [Candidate] = []
    logits.read { logits in
      for (beam, entry) in running.enumerated() {
        let row = logits + beam * width
        let highest = maximumOfVectors(row, count: width)
        let shift = highest + log(sumVectors(row, count: width) { ($0 - highest).exponential() })
        for token in 0..<width where !(endIsBarred && token == Int(end)) {
          let score = entry.score + row[token] - shift
          if best.count == count, score <= best[count - 1].score { continue }
          let place = best.firstIndex { $0.score < score } ?? best.count
          best.insert(Candidate(score: score, beam: beam, token: Int32(token)), at: place)
          if best.count > count { best.removeLast() }
        }
      }
    }
    return best
  }
}
