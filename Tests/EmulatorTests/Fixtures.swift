import ClockSync
@testable import Emulator
import Media
import NetworkEmulation
import Protection
import Receiver
import Sender
import Timebase

/// A small experiment to start from: 25 fps video of 2 Mbit/s and layer II audio over given links.
struct Experiment {
    var seed: UInt64 = 1
    var duration = TimeSpan.seconds(4)
    var carriage = Carriage.tsRTP
    var rate = BitRate(bitsPerSecond: 3_000_000)
    var videoRate = BitRate(bitsPerSecond: 2_000_000)
    var sendsNullPackets = true
    var interleave: InterleavingBlock?
    /// Of an interleaver at constant rate: how much of its latency the receivers are not told.
    var concealed = TimeSpan.zero
    var forward: [NamedLink] = []
    var reverse: [NamedLink] = []
    var playout = TimeSpan.milliseconds(100)
    var senderClock = Oscillator()
    var receiverClock = Oscillator()
    var receivers = ["tv"]
    var taps = WorldTaps()
    /// When a third substream has units of 500 bytes, seconds; without any there is none.
    var slides: [Double] = []
    /// When there is a picture of 2,000 bytes, seconds, where the video is not of constant rate.
    var pictures: [Double] = []
    /// Of every link forward.
    var outages: [Range<Instant>] = []

    static func link(
        _ id: String, seed: UInt64 = 1, delay: TimeSpan = .milliseconds(20), rate: UInt64? = nil, loss: Double = 0,
        jitter: TimeSpan? = nil, queue: DropTailQueue.Limit = .time(.milliseconds(200))
    ) -> NamedLink {
        let key = DrawKey(seed: seed).named(id)
        let model: LossModel =
            loss == 0 ? .none : .bernoulli(PacketChance(Probability(loss), key: key.named("loss")))
        let table = jitter.map { halfRange in
            QuantileTable { tail, isUpper in
                Double(halfRange.nanoseconds) * (isUpper ? 1 - 2 * tail : 2 * tail - 1)
            }
        }
        return NamedLink(
            id: id,
            LinkConfiguration(
                loss: model, rate: rate.map { BitRate(bitsPerSecond: $0) }, queueLimit: queue,
                delay: DelayModel(delay: delay, jitter: table, key: key.named("jitter"))))
    }

    func configuration() throws -> WorldConfiguration {
        var requests = [
            SubstreamRequest(
                id: "video", kind: .video,
                content: .h264(
                    SyntheticVideo(
                        frameRate: UnitRate(count: 25, every: .seconds(1))!,
                        groupOfPictures: GroupOfPictures("IBBPBBPBBPBB")!,
                        bitRate: videoRate, sizeVariation: 0.2))),
            SubstreamRequest(
                id: "audio", kind: .audio,
                content: .mp2(
                    SyntheticAudio(bitRate: BitRate(bitsPerSecond: 192_000), frameDuration: .milliseconds(24)))),
        ]
        if !pictures.isEmpty {
            let trace = "time,size,type\n" + pictures.map { "\($0),2000,I\n" }.joined()
            requests[0] = SubstreamRequest(
                id: "video", kind: .video, content: .trace(try UnitTrace(csv: Array(trace.utf8))))
        }
        if !slides.isEmpty {
            let trace = "time,size\n" + slides.map { "\($0),500\n" }.joined()
            requests.append(
                SubstreamRequest(id: "slides", kind: .data, content: .trace(try UnitTrace(csv: Array(trace.utf8)))))
        }
        var forward = forward
        for index in forward.indices { forward[index].configuration.outages = outages }
        let program = try Program(synthetic: requests, duration: duration, key: DrawKey(seed: seed))
        let demand = ProgramDemand(program)
        let window = TimeSpan.milliseconds(200)
        let plan = MultiplexPlan(
            rate: rate, sendsNullPackets: sendsNullPackets, leads: program.substreams.map { _ in window },
            latency: window + demand.longestReordering)
        var configuration = WorldConfiguration(seed: seed, program: program, plan: plan, carriage: carriage)
        configuration.interleaving = interleaving
        configuration.senderClock = senderClock
        configuration.forward = forward
        configuration.reverse = reverse
        configuration.receivers = receivers.map {
            ReceiverNodeConfiguration(
                id: $0, media: ReceiverConfiguration(playoutDelay: playout, hasRTP: carriage.hasRTP),
                clock: receiverClock)
        }
        configuration.taps = taps
        return configuration
    }

    /// At constant rate.
    private var interleaving: InterleavingConfiguration? {
        guard let interleave else { return nil }
        let span = rate.transmissionTime(bits: UInt64(2 * interleave.lead * 7 * 1_504))
        return InterleavingConfiguration(
            block: interleave, leastSpan: span, longestSpan: span + .nanoseconds(2) - concealed)
    }
}
