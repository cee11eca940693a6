import ClockSync
import Emulator
import Metrics
import NetworkEmulation
import Testing
import Timebase

/// What a driver took from a World.
struct Taken {
    var sent: [UInt8] = []
    var released: [[UInt8]] = []
    var fates: [PacketRecord] = []
    var measurements = RunMeasurements()
}

func run(_ experiment: Experiment) throws -> Taken {
    let configuration = try experiment.configuration()
    var world = World(configuration)
    var taken = Taken()
    taken.released = configuration.receivers.map { _ in [] }
    VirtualTime.run(&world, shouldStop: { _ in false }, take: { world, output in
        switch output {
        case .sentMedia(let packet): taken.sent += world.payload(of: packet)[world.mediaHeaderLength...]
        case .releasedMedia(let packet, let receiver):
            taken.released[receiver] += world.payload(of: packet)[world.mediaHeaderLength...]
        case .packet(let record): taken.fates.append(record)
        case .captured, .sample: break
        }
    })
    taken.measurements = world.measurements()
    #expect(world.packetsUnderWay == 0)
    return taken
}

@Suite("World")
struct WorldTests {
    @Test("on a perfect network what comes out of the playout buffer is what was sent", arguments: [Carriage.tsRTP, .tsUDP])
    func perfectNetwork(carriage: Carriage) throws {
        var experiment = Experiment(carriage: carriage, forward: [Experiment.link("f")], reverse: [Experiment.link("r")])
        experiment.taps.media = true
        let taken = try run(experiment)
        #expect(taken.sent.count > 188 * 1_000)
        #expect(taken.sent == taken.released[0])
        let flow = try #require(taken.measurements.flows.first)
        #expect(flow.delivered == flow.sent)
        #expect(flow.oneWayDelay?.minimum == 20_000_000)
        #expect(flow.oneWayDelay?.maximum == 20_000_000)
        for substream in taken.measurements.substreams {
            #expect(substream.sentUnits == substream.onTime)
            #expect(substream.missing == 0 && substream.late == 0 && substream.damaged == 0)
        }
        let skew = try #require(taken.measurements.lipSync.first?.skew)
        #expect(skew.maximum < 1_000_000 && skew.minimum > -1_000_000)
        #expect(taken.measurements.warnings.isEmpty)
    }
}
