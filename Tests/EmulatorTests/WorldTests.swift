import ClockSync
@testable import Emulator
import Metrics
import NetworkEmulation
import Testing
import Timebase

/// What a driver took from a World.
struct Taken {
    var sent: [UInt8] = []
    var released: [[UInt8]] = []
    var fates: [PacketRecord] = []
    var units: [UnitRecord] = []
    var measurements = RunMeasurements()
}

func run(_ experiment: Experiment) throws -> Taken {
    let configuration = try experiment.configuration()
    var world = World(configuration)
    var taken = Taken()
    taken.released = configuration.receivers.map { _ in [] }
    VirtualTime.run(
        &world, shouldStop: { _ in false },
        take: { world, output in
            switch output {
            case .sentMedia(let packet): taken.sent += world.payload(of: packet)[world.mediaHeaderLength...]
            case .releasedMedia(let packet, let receiver):
                taken.released[receiver] += world.payload(of: packet)[world.mediaHeaderLength...]
            case .packet(let record): taken.fates.append(record)
            case .unit(let record): taken.units.append(record)
            default: break
            }
        })
    taken.measurements = world.measurements()
    #expect(world.packetsUnderWay == 0)
    return taken
}

@Suite("World")
struct WorldTests {
    @Test(
        "on a perfect network what comes out of the playout buffer is what was sent",
        arguments: [Carriage.tsRTP, .tsUDP])
    func perfectNetwork(carriage: Carriage) throws {
        var experiment = Experiment(
            carriage: carriage, forward: [Experiment.link("f")], reverse: [Experiment.link("r")])
        experiment.taps.media = true
        let taken = try run(experiment)
        #expect(taken.sent.count > 188 * 1_000)
        #expect(taken.sent == taken.released[0])
        let flow = try #require(taken.measurements.flows.first)
        #expect(flow.delivered == flow.sent)
        #expect(flow.quality.oneWayDelay?.minimum == 20_000_000)
        #expect(flow.quality.oneWayDelay?.maximum == 20_000_000)
        for substream in taken.measurements.substreams {
            #expect(substream.sentUnits == substream.onTime)
            #expect(substream.missing == 0 && substream.late == 0 && substream.damaged == 0)
        }
        let skew = try #require(taken.measurements.lipSync.first?.skew)
        #expect(skew.maximum < 1_000_000 && skew.minimum > -1_000_000)
        #expect(taken.measurements.warnings.isEmpty)
    }
}

@Suite("World: counts and repeatability")
struct WorldCountTests {
    /// Loss, queueing, jitter and clocks that are off: everything that a run can do to a packet.
    static func rough(seed: UInt64 = 1, lossOnSecond: Double = 0.01) -> Experiment {
        var experiment = Experiment(seed: seed, duration: .seconds(8), playout: .milliseconds(15))
        experiment.forward = [
            Experiment.link("a", seed: seed, rate: 3_300_000, loss: 0.02, jitter: .milliseconds(12)),
            Experiment.link(
                "b", seed: seed, delay: .milliseconds(5), rate: 3_100_000, loss: lossOnSecond,
                jitter: .milliseconds(15),
                queue: .packets(4)),
        ]
        experiment.reverse = [Experiment.link("r", seed: seed, loss: 0.1)]
        experiment.senderClock = Oscillator(offset: .milliseconds(3), partsPerBillion: 40_000)
        experiment.receiverClock = Oscillator(offset: .milliseconds(-7), partsPerBillion: -25_000)
        experiment.receivers = ["one", "two", "three"]
        experiment.taps.packets = true
        return experiment
    }

    @Test(
        "every datagram meets exactly one fate, and links, flows and records agree", arguments: [1, 2, 3] as [UInt64])
    func conservation(seed: UInt64) throws {
        let taken = try run(Self.rough(seed: seed))
        let links = taken.measurements.links
        for flow in taken.measurements.flows {
            #expect(
                flow.sent + flow.duplicated == flow.delivered + flow.lostLink + flow.droppedQueue + flow.droppedChecksum
            )
            let used = taken.fates.count {
                $0.fate == .used && $0.receiver.map { "\($0)" } == receiverIndex(flow.receiver)
            }
            #expect(flow.delivered == Int64(used) + flow.late + flow.duplicates)
            #expect(flow.late > 0 && flow.lostLink > 0 && flow.droppedQueue > 0)
            let runs = flow.lossRuns.reduce(0) { $0 + $1.length * $1.count }
            #expect(runs == flow.sent - flow.delivered)
            #expect(flow.unrepaired == runs)
        }
        for link in links {
            #expect(link.packetsIn == link.packetsOut + link.lossDrops + link.queueFullDrops)
        }
        for substream in taken.measurements.substreams {
            #expect(substream.missing >= 0)
            #expect(substream.sentUnits == substream.onTime + substream.late + substream.damaged + substream.missing)
        }
        let shared = taken.fates.count { $0.receiver == nil }
        let flow = try #require(taken.measurements.flows.first)
        #expect(Int64(shared) == flow.lostLink + flow.droppedQueue)
    }

    @Test("the bit rate used counts neither copies nor what came late, over the time of sending")
    func usedBitRate() throws {
        let taken = try run(Self.rough())
        // Copies have the number of what they are copies of.
        var sent: [UInt32: (at: Instant, bytes: Int)] = [:]
        for record in taken.fates { sent[record.number] = (record.sent, Int(record.length)) }
        let instants = sent.values.map(\.at)
        let (first, last) = (try #require(instants.min()), try #require(instants.max()))
        let bytes = sent.values.reduce(0) { $0 + $1.bytes }
        let fromLast = sent.values.reduce(0) { $1.at == last ? $0 + $1.bytes : $0 }
        for (index, flow) in taken.measurements.flows.enumerated() {
            let used = taken.fates.reduce(0) {
                $1.receiver == index && $1.fate == .used ? $0 + Int($1.length) : $0
            }
            let rate =
                Double(used * 8) / Double((last - first).nanoseconds) * 1e9 * Double(bytes - fromLast) / Double(bytes)
            let measured = try #require(flow.usedBitsPerSecond)
            #expect(abs(Double(measured) - rate) <= 1)
            #expect(measured < (flow.sentBitsPerSecond ?? 0))
        }
    }

    private func receiverIndex(_ id: String) -> String? {
        ["one", "two", "three"].firstIndex(of: id).map { "\($0)" }
    }

    @Test("the same configuration gives the same digest; another seed does not")
    func repeatability() throws {
        let first = try run(Self.rough()).measurements
        #expect(try run(Self.rough()).measurements.digest == first.digest)
        #expect(try run(Self.rough(seed: 2)).measurements.digest != first.digest)
    }

    @Test("a driver that steps through the verbs gets the virtual-time driver's digest")
    func steppedDriver() throws {
        let expected = try run(Self.rough()).measurements
        var world = World(try Self.rough().configuration())
        var steps = 0
        while let next = world.nextTimeout {
            // Early calls do nothing, and time may be told in between.
            if steps % 3 == 0, next > world.now { world.handleTimeout(at: next - .nanoseconds(1)) }
            world.handleTimeout(at: next)
            #expect(world.nextTimeout ?? next >= next)
            while world.pollOutput() != nil {}
            steps += 1
        }
        let stepped = world.measurements()
        #expect(steps > 1_000)
        #expect(stepped.digest == expected.digest)
        #expect(stepped.ended == expected.ended)
    }

    @Test("loss added to one link moves no draw of another")
    func independentDraws() throws {
        func lostOnFirst(_ taken: Taken) -> Int64 { taken.measurements.links.first { $0.id == "a" }?.lossDrops ?? -1 }
        let without = try run(Self.rough(lossOnSecond: 0))
        let with = try run(Self.rough(lossOnSecond: 0.2))
        #expect(lostOnFirst(without) > 0)
        #expect(lostOnFirst(without) == lostOnFirst(with))
    }

    @Test("loss added upstream changes no verdict of a link downstream on what still comes to it")
    func independentVerdicts() throws {
        func fates(lossUpstream: Double) throws -> [UInt32: PacketFate] {
            var experiment = Experiment(duration: .seconds(8), reverse: [], playout: .seconds(1))
            experiment.forward = [
                Experiment.link("up", loss: lossUpstream, jitter: .milliseconds(5)),
                Experiment.link("down", loss: 0.05, jitter: .milliseconds(5)),
            ]
            experiment.taps.packets = true
            return Dictionary(uniqueKeysWithValues: try run(experiment).fates.map { ($0.number, $0.fate) })
        }
        let alone = try fates(lossUpstream: 0)
        let both = try fates(lossUpstream: 0.2)
        #expect(alone.count == both.count)
        let delivered = both.filter { $0.value == .used }
        // What came through both links came through the second one alone, too; what the second one lost, it loses again.
        #expect(delivered.keys.allSatisfy { alone[$0] == .used })
        #expect(alone.filter { $0.value == .lostLink }.keys.allSatisfy { both[$0] == .lostLink })
        let share = Double(delivered.count) / Double(alone.count { $0.value == .used })
        #expect(abs(share - 0.8) < 0.042, "five sigma of 0.8 over some 2,300 packets; delivered \(share)")
    }

    @Test("stopped sources drain, and the counts still add up")
    func stopping() throws {
        let experiment = Self.rough()
        var world = World(try experiment.configuration())
        while let next = world.nextTimeout, next < Instant(nanoseconds: 3_000_000_000) { world.handleTimeout(at: next) }
        world.handle(.stopSources, at: Instant(nanoseconds: 3_000_000_000))
        VirtualTime.run(&world)
        let measured = world.measurements()
        #expect(world.packetsUnderWay == 0)
        #expect(measured.ended < Instant(nanoseconds: 4_000_000_000))
        let video = try #require(measured.substreams.first)
        // 25 pictures a second were captured before the third second was over, its first instant included.
        #expect(video.sentUnits == 76)
        for flow in measured.flows {
            #expect(flow.sent == flow.delivered + flow.lostLink + flow.droppedQueue)
        }
    }
}

@Suite("World: what the figures say")
struct WorldFigureTests {
    @Test("with no playout delay at all, rounding makes nothing late on a perfect network")
    func zeroPlayout() throws {
        let experiment = Experiment(forward: [Experiment.link("f")], reverse: [], playout: .zero)
        let measured = try run(experiment).measurements
        #expect(measured.flows[0].late == 0)
        #expect(measured.substreams.allSatisfy { $0.onTime == $0.sentUnits })
    }

    @Test("every unit that came in time was presented", arguments: [3, 36, 77] as [UInt64])
    func onTimeIsPresented(seed: UInt64) throws {
        let link = Experiment.link("f", seed: seed, loss: 0.3)
        let measured = try run(Experiment(seed: seed, forward: [link], reverse: [])).measurements
        for substream in measured.substreams {
            #expect(substream.onTime > 0 && substream.missing > 0)
            #expect((substream.endToEndDelay?.count ?? 0) >= substream.onTime)
        }
    }

    @Test("a picture that stands still to the program's end is a freeze, and is said")
    func standingStill() throws {
        // The receiver's clock gains a tenth: after the buffer's half second has been eaten up, all comes too late.
        var experiment = Experiment(
            duration: .seconds(20), forward: [Experiment.link("f")], reverse: [], playout: .milliseconds(500))
        experiment.receiverClock = Oscillator(partsPerBillion: 100_000_000)
        let measured = try run(experiment).measurements
        let video = try #require(measured.substreams.first)
        #expect(video.missing > 100)
        let freezes = try #require(video.freezes)
        #expect(freezes.count == 1 && freezes.longest > .seconds(5))
        #expect(
            measured.warnings.contains {
                if case .lateDatagrams("tv", let late, measured.flows[0].delivered) = $0 { late > 0 } else { false }
            })
        #expect(
            measured.warnings.contains {
                if case .stoodStill("tv", "video", let span) = $0 { span > .seconds(5) } else { false }
            })
        #expect((measured.lipSync[0].skew?.maximum ?? 0) >= 0)
    }

    @Test(
        "a clock that loses makes waits grow, and that is said; one that keeps time does not", arguments: [0, -800_000])
    func growingWaits(partsPerBillion: Int64) throws {
        var experiment = Experiment(
            duration: .seconds(60), forward: [Experiment.link("f")],
            reverse: [], playout: .milliseconds(40))
        experiment.receiverClock = Oscillator(partsPerBillion: partsPerBillion)
        let warnings = try run(experiment).measurements.warnings
        guard partsPerBillion < 0 else { return #expect(warnings.isEmpty) }
        #expect(warnings.count == 1)
        guard case .waitsGrew("tv", let first, let last) = try #require(warnings.first) else {
            Issue.record("not what makes waits grow: \(warnings)")
            return
        }
        // 800 us a second; the last whole period begins 10 to 20 seconds before the end.
        #expect(abs((first - .milliseconds(40)).nanoseconds) < 1_000_000)
        #expect((31_000_000...41_000_000).contains((last - first).nanoseconds))
    }

    @Test("a trace whose last unit stands long has not stood still", arguments: [false, true])
    func lastOfTrace(isCut: Bool) throws {
        var experiment = Experiment(duration: .seconds(6), forward: [Experiment.link("f")], reverse: [])
        // The link is down from 4.8 s on; what was captured at 4 s has passed it by then.
        experiment.slides = isCut ? [0, 2, 4, 5, 5.9] : [0, 2, 4]
        experiment.outages = isCut ? [Instant(nanoseconds: 4_800_000_000)..<Instant(nanoseconds: 9_000_000_000)] : []
        let warnings = try run(experiment).measurements.warnings
        let stood = warnings.contains {
            if case .stoodStill("tv", "slides", _) = $0 { true } else { false }
        }
        #expect(stood == isCut)
    }

    @Test("where nothing arrives nothing is measured, and that is said")
    func nothingArrives() throws {
        let measured = try run(Experiment(forward: [Experiment.link("f", loss: 1)], reverse: [])).measurements
        #expect(measured.flows[0].quality.oneWayDelay == nil && measured.flows[0].sessionSetupNanoseconds == nil)
        #expect(measured.substreams.allSatisfy { $0.freezes == nil && $0.endToEndDelay == nil && $0.missing > 0 })
        let received = try #require(measured.transportStreams.last)
        #expect(received.tr101290.allSatisfy { $0.count == nil })
        #expect(measured.warnings == [.nothingArrived(receiver: "tv")])
    }

    @Test("links are listed in the order of a packet's way")
    func linkOrder() throws {
        let names = (0..<12).map { "forward.\($0)" }
        let links = names.map { Experiment.link($0, delay: .milliseconds(1)) }
        let measured = try run(
            Experiment(duration: .seconds(1), forward: links, reverse: [Experiment.link("reverse.0")])
        )
        .measurements
        #expect(measured.links.map(\.id) == names + ["reverse.0"])
    }
}
