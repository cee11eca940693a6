import ClockSync
@testable import Emulator
import Metrics
import NetworkEmulation
import Protection
import Testing
import Timebase

@Suite("World with an interleaver")
struct InterleavingTests {
    /// Nothing but a delay, and no playout of its own: the release has nothing to spare.
    private func bare(_ rows: Int, _ columns: Int, loss: LossModel = .none) -> Experiment {
        let delay = DelayModel(delay: .milliseconds(20), key: DrawKey(seed: 1))
        let link = LinkConfiguration(loss: loss, rate: nil, queueLimit: .packets(1), delay: delay)
        var experiment = Experiment(forward: [NamedLink(id: "f", link)], reverse: [], playout: .zero)
        experiment.interleave = InterleavingBlock(rows: rows, columns: columns)
        experiment.taps.media = true
        experiment.taps.packets = true
        return experiment
    }

    static let blocks = [(2, 2), (4, 4), (5, 10), (10, 10), (20, 3), (3, 20), (20, 20), (100, 2)]

    @Test(
        "with no playout delay, on a perfect network, nothing is late and all comes out as it was multiplexed",
        arguments: blocks)
    func perfectNetwork(rows: Int, columns: Int) throws {
        let experiment = bare(rows, columns)
        let taken = try run(experiment)
        let flow = taken.measurements.flows[0]
        #expect(flow.sent == flow.delivered && flow.late == 0 && flow.quality.reordered == 0 && flow.duplicates == 0)
        #expect(taken.sent.count > 188 * 7 * 1_000)
        #expect(taken.sent == taken.released[0])
        #expect(taken.measurements.substreams.allSatisfy { $0.onTime == $0.sentUnits })
        // On the wire nothing was delayed but by the link.
        #expect(flow.quality.oneWayDelay?.minimum == 20_000_000 && flow.quality.oneWayDelay?.maximum == 20_000_000)
        #expect(flow.quality.pdv?.maximum == 0 && flow.lossRuns.isEmpty && flow.quality.lossRuns.isEmpty)
    }

    @Test("each datagram is released 2 (R − 1)(C − 1) datagrams after it was multiplexed", arguments: blocks)
    func release(rows: Int, columns: Int) throws {
        var experiment = bare(rows, columns)
        let interleaved = try run(experiment)
        experiment.interleave = nil
        let plain = try run(experiment)
        let lead = Int64(rows - 1) * Int64(columns - 1)
        // Of ten datagrams 7 × 1,504 bits long at 3 Mbit/s.
        let span = Int64(2) * lead * 7 * 1_504 * 1_000 / 3
        func releases(_ taken: Taken) -> [Int64] { taken.fates.compactMap { $0.released?.nanoseconds } }
        // Both are released in the multiplex's order.
        let later = zip(releases(interleaved), releases(plain)).map { $0 - $1 }
        #expect(later.count == Int(plain.measurements.flows[0].sent))
        // One tick of 90 kHz on either side: timestamps are no finer.
        #expect(later.allSatisfy { abs($0 - span) <= 11_112 }, "\(later.min() ?? 0) \(later.max() ?? 0) \(span)")
        // So is every unit's presentation.
        for (late, early) in zip(interleaved.measurements.substreams, plain.measurements.substreams) {
            let more = try #require(late.endToEndDelay?.maximum) - #require(early.endToEndDelay?.maximum)
            #expect(abs(more - span) <= 11_112)
        }
    }

    @Test("whichever datagrams are lost at the beginning, the rest is released when it would have been")
    func lostBeginning() throws {
        let whole = try run(bare(4, 5))
        let all = Dictionary(uniqueKeysWithValues: whole.fates.map { ($0.number, $0.released?.nanoseconds ?? 0) })
        for lost in 1...45 {
            let loss = try #require(ListedLoss(Array(0..<lost)))
            let taken = try run(bare(4, 5, loss: .listed(loss)))
            let flow = taken.measurements.flows[0]
            #expect(flow.lostLink == Int64(lost) && flow.late == 0, "\(lost) lost: \(flow.late) late")
            let moved = taken.fates.filter { $0.fate == .used }.map {
                ($0.released?.nanoseconds ?? 0) - (all[$0.number] ?? 0)
            }
            #expect(moved.count == Int(flow.delivered) && moved.allSatisfy { abs($0) <= 11_112 }, "\(lost) lost")
        }
    }

    @Test("a release that leaves the interleaver's delay out makes loss worse than no interleaver")
    func concealedDelay() throws {
        var experiment = bare(5, 10)
        experiment.forward = [Experiment.link("f", loss: 0.01, jitter: .milliseconds(10))]
        experiment.playout = .milliseconds(40)
        let right = try run(experiment).measurements
        experiment.concealed = .nanoseconds(Int64(72) * 7 * 1_504 * 1_000 / 3)
        let wrong = try run(experiment).measurements
        experiment.interleave = nil
        let without = try run(experiment).measurements
        func lost(_ measured: RunMeasurements) -> Int64 { measured.flows[0].unrepaired + measured.flows[0].late }
        #expect(without.flows[0].late == 0 && right.flows[0].late == 0)
        #expect(lost(right) == lost(without))
        #expect(wrong.flows[0].late > wrong.flows[0].delivered / 4)
        #expect(lost(wrong) > 10 * lost(without))
        #expect(wrong.substreams[0].onTime < without.substreams[0].onTime)
    }

    @Test("bursts on the wire become single losses in the stream; fates still add up")
    func bursts() throws {
        // Runs of five lost on the wire every 150, that is every three blocks.
        let loss = try #require(ListedLoss([31, 32, 33, 34, 35], repeatingEvery: 150))
        let taken = try run(bare(5, 10, loss: .listed(loss)))
        let flow = taken.measurements.flows[0]
        #expect(flow.quality.lossRuns.map(\.length) == [5])
        #expect(flow.lossRuns.map(\.length) == [1])
        #expect(flow.lossRuns.map(\.count) == [flow.lostLink])
        #expect(flow.sent == flow.delivered + flow.lostLink)
        #expect(flow.unrepaired == flow.lostLink && flow.quality.reordered == 0)
        // What is missing is known to be missing where it is missing.
        let counters = Dictionary(uniqueKeysWithValues: taken.measurements.transportStreams[1].tr101290)
        #expect((counters["Continuity_count_error"] ?? 0) ?? 0 > 0)
        #expect(counters["TS_sync_loss"] == 0 && counters["Sync_byte_error"] == 0)
    }

    @Test("sources that stop leave a partial block: all that was written is sent, once, in time")
    func stopping() throws {
        for milliseconds in stride(from: 0, to: 1_500, by: 60) {
            var experiment = bare(7, 9)
            experiment.taps = WorldTaps()
            var world = World(try experiment.configuration())
            let stop = Instant.zero + .milliseconds(Int64(milliseconds))
            while let next = world.nextTimeout, next < stop { world.handleTimeout(at: next) }
            world.handle(.stopSources, at: stop)
            VirtualTime.run(&world)
            let measured = world.measurements()
            #expect(world.packetsUnderWay == 0)
            let flow = measured.flows[0]
            #expect(flow.sent > 0 && flow.sent == flow.delivered && flow.late == 0)
            #expect(flow.lossRuns.isEmpty)
            #expect(measured.substreams.allSatisfy { $0.onTime == $0.sentUnits })
            #expect(measured.ended < stop + .seconds(1))
        }
    }

    @Test("the same configuration gives the same digest, a stepped driver too")
    func repeatability() throws {
        var experiment = WorldCountTests.rough()
        experiment.interleave = InterleavingBlock(rows: 5, columns: 4)
        let first = try run(experiment)
        for flow in first.measurements.flows {
            #expect(flow.sent == flow.delivered + flow.lostLink + flow.droppedQueue)
            #expect(flow.lossRuns.reduce(0) { $0 + $1.length * $1.count } == flow.unrepaired)
            #expect(flow.quality.lossRuns.reduce(0) { $0 + $1.length * $1.count } == flow.unrepaired)
        }
        var world = World(try experiment.configuration())
        while let next = world.nextTimeout {
            world.handleTimeout(at: next - .nanoseconds(1))
            world.handleTimeout(at: next)
            while world.pollOutput() != nil {}
        }
        #expect(world.measurements().digest == first.measurements.digest)
    }
}
