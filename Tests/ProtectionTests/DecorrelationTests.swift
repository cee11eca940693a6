import Metrics
@testable import Protection
import Testing
import Timebase

@testable import NetworkEmulation

/// Losses of a Gilbert-Elliott link on the wire, as they fall into the multiplex's order.
private struct Losses {
    /// Of one batch of whole blocks: lost datagrams, and runs of consecutive ones.
    var batches: [(lost: Int, runs: Int)] = []

    init(_ block: InterleavingBlock, loss: Double, meanBurst: Double, seed: UInt64) {
        var chain = GilbertElliottLoss(loss: loss, meanBurst: meanBurst, key: DrawKey(seed: seed))
        let blocks = 10_000 / block.count + 1
        for batch in 0..<100 {
            var window = DeliveryWindow(window: 1 << 15)
            let first = Int64(batch * blocks * block.count)
            for slot in first..<first + Int64(blocks * block.count) {
                let packet = Packet(
                    time: .zero, sent: .zero, slot: 0, number: UInt32(slot), length: 100, flow: 0)
                if !chain.isLost(packet, at: .zero) { _ = window.add(number: block.place(ofSlot: slot) - first) }
            }
            window.finish(sentCount: Int64(blocks * block.count))
            batches.append((Int(window.lost), window.lossRuns.reduce(0) { $0 + Int($1.count) }))
        }
    }

    /// Mean length of a run.
    var meanRun: Double { ratio(batches[...]) }

    /// Its standard deviation by leaving out one batch at a time: bursts on the wire are scattered over runs that
    /// depend on each other, batches do not but at their borders.
    var deviation: Double {
        let means = batches.indices.map { left in
            ratio((batches[..<left] + batches[(left + 1)...])[...])
        }
        let mean = means.reduce(0, +) / Double(means.count)
        let sum = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (sum * Double(means.count - 1) / Double(means.count)).squareRoot()
    }

    private func ratio(_ batches: ArraySlice<(lost: Int, runs: Int)>) -> Double {
        Double(batches.reduce(0) { $0 + $1.lost }) / Double(batches.reduce(0) { $0 + $1.runs })
    }
}

@Suite("Interleaving a Gilbert-Elliott link")
struct DecorrelationTests {
    /// Loss, mean burst, rows, columns.
    static let settings: [(Double, Double, Int, Int)] = [
        (0.01, 3, 5, 100), (0.01, 3, 10, 100), (0.01, 3, 20, 100), (0.02, 5, 5, 100), (0.05, 5, 10, 50),
        (0.05, 10, 20, 20), (0.05, 5, 5, 10),
    ]

    /// A run goes on to the next place with the chain's correlation over the slots between the two: `rows` within a row;
    /// at a row's end (columns − 1) × rows − 1 back, at a block's end 1. A step of I slots leaves the bad state with
    /// r_I = (1 − PLR)(1 − ρ^I), ρ = 1 − p − r.
    @Test("the mean run of losses falls to 1 / r_I at a depth of I rows, seed 7", arguments: settings)
    func meanRun(loss: Double, meanBurst: Double, rows: Int, columns: Int) {
        let block = InterleavingBlock(rows: rows, columns: columns)
        let correlation = 1 - 1 / meanBurst - loss / (1 - loss) / meanBurst
        func leaving(_ slots: Int) -> Double {
            (1 - loss) * (1 - (0..<slots).reduce(1) { power, _ in power * correlation })
        }
        let inRows = Double(rows * (columns - 1)) * leaving(rows)
        let betweenRows = Double(rows - 1) * leaving((columns - 1) * rows - 1)
        let exact = Double(block.count) / (inRows + betweenRows + leaving(1))
        let losses = Losses(block, loss: loss, meanBurst: meanBurst, seed: 7)
        let (measured, deviation) = (losses.meanRun, losses.deviation)
        #expect(abs(measured - exact) < 5 * deviation, "measured \(measured), expected \(exact) ± \(deviation)")
        // Rows' ends are few: 1 / r_I is as good, to within their share.
        let plain = 1 / leaving(rows)
        #expect(abs(measured / plain - 1) < 5 * deviation / plain + 1 / Double(columns))
        #expect(deviation < 0.02 * measured)
    }
}
