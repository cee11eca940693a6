import Emulator
import Media
import Metrics
import Timebase

extension ExperimentScenario {
    /// ITU-T G.711: a call at 64 kbit/s.
    struct G711: Equatable, Sendable {
        var law: Law
        /// Of the sound in a packet: 1...200 ms, whole milliseconds.
        var frameDuration: TimeSpan
        /// Nil: sound is sent all the time.
        var talkSpurts: TalkSpurts?
        /// For the E-model.
        var impairment: EquipmentImpairment

        enum Law: String, Sendable, CaseIterable {
            case mu = "mu-law"
            case a = "a-law"
        }
    }

    /// RFC 6716: a call at any bit rate.
    struct Opus: Equatable, Sendable {
        /// Of the sound in a packet: 2.5, 5, 10 or 20 ms.
        var frameDuration: TimeSpan
        /// Of the packets, while somebody talks.
        var bitRate: BitRate
        /// Half range of the uniform deviation of a packet's size from the mean.
        var sizeVariation: Ratio
        /// Nil: sound is sent all the time.
        var talkSpurts: TalkSpurts?
        /// For the E-model; nil: ITU-T G.113 lists none of Opus.
        var impairment: EquipmentImpairment?
    }

    /// Mean lengths, each of whole packets.
    struct TalkSpurts: Equatable, Sendable {
        var on: TimeSpan
        var off: TimeSpan
    }
}

extension ExperimentScenario.G711 {
    /// What Media makes of it.
    var content: SyntheticCall {
        SyntheticCall(law == .mu ? .pcmu : .pcma, packetDuration: frameDuration, talkSpurts: talkSpurts?.rhythm)
    }
}

extension ExperimentScenario.Opus {
    /// What Media makes of it.
    var content: SyntheticCall {
        SyntheticCall(
            .opus(bitRate, variation: sizeVariation.value), packetDuration: frameDuration,
            talkSpurts: talkSpurts?.rhythm)
    }
}

extension WorldBuilder {
    /// The program's calls.
    var calls: [CallConfiguration] {
        guard case .substreams(let substreams) = scenario.program else { return [] }
        return substreams.enumerated().compactMap { lane, substream in
            switch substream.source {
            case .g711(let call): CallConfiguration(lane: lane, codec: "g711", impairment: call.impairment)
            case .opus(let call): CallConfiguration(lane: lane, codec: "opus", impairment: call.impairment)
            case .h264, .mp2, .opaque, .trace: nil
            }
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.G711 {
    static let record = Record<Self>(
        Self(law: .mu, frameDuration: .milliseconds(20), talkSpurts: nil, impairment: .g711),
        keys.map { $0.needs("sender", "{ carriage: rtp-separate }", levels: 3) },
        rules: [
            Rule("frame_duration", "talk_spurts") { call, reader in
                call.talkSpurts?.check(packet: call.frameDuration, reader)
            }
        ])

    private static let keys: [Field<Self>] = [
        .key("law", \.law, .words(), "How samples become bytes: PCMU or PCMA (RFC 3551 §4.5.14).").like("a-law"),
        .key(
            "frame_duration", \.frameDuration, frameDurations,
            "How long the sound of a packet lasts: a=ptime; it is sent when it is full."
        ).like("20ms"),
        .key(
            "talk_spurts", \.talkSpurts, .optional(ExperimentScenario.TalkSpurts.record.kind()), talkMeaning
        ).like("{ on: 1s, off: 1500ms }"),
        .key(
            "impairment", \.impairment, EquipmentImpairment.record.kind(),
            "Ie and Bpl for the E-model (ITU-T G.113): Bpl 25.1 with a receiver that conceals losses, 4.3 with none."
        ).like("{ ie: 0, bpl: 4.3 }"),
    ]

    private static let frameDurations = Kind<TimeSpan>.time(.milliseconds(1)...TimeSpan.milliseconds(200)).checked {
        duration, reader in
        if duration.nanoseconds % 1_000_000 != 0 { reader.reportInvalid(expected: "whole milliseconds") }
    }
}

extension ExperimentScenario.Opus {
    static let record = Record<Self>(
        Self(
            frameDuration: .milliseconds(20), bitRate: bitRates.lowerBound, sizeVariation: .zero, talkSpurts: nil,
            impairment: nil),
        [
            .key(
                "frame_duration", \.frameDuration, frameDurations,
                "How long the sound of a packet lasts, one frame; it is sent when it is full."
            ).like("20ms"),
            .key(
                "bitrate", \.bitRate, .bitRate(bitRates),
                "The bit rate of the packets while somebody talks, enough for a frame and at most what one holds."
            ).required(like: "24 kbit/s"),
            .key(
                "size_variation", \.sizeVariation, .ratio,
                "How far, at most, a packet's size lies from the mean; uniform."
            ).like("20%"),
            .key(
                "talk_spurts", \.talkSpurts, .optional(ExperimentScenario.TalkSpurts.record.kind()), talkMeaning
            ).like("{ on: 1s, off: 1500ms }"),
            .key(
                "impairment", \.impairment, .optional(EquipmentImpairment.record.kind()),
                "Ie and Bpl for the E-model; ITU-T G.113 lists none of Opus, and without them it has no R and no MOS."
            ).like("{ ie: 11, bpl: 19 }"),
        ],
        rules: [
            Rule("frame_duration", "talk_spurts") { call, reader in
                call.talkSpurts?.check(packet: call.frameDuration, reader)
            },
            Rule("frame_duration", "bitrate", "size_variation", "talk_spurts") { checkFeasible($0, $1) },
        ])

    /// Of the codec (RFC 6716 §2.1.1).
    private static let bitRates = BitRate(bitsPerSecond: 6_000)...BitRate(bitsPerSecond: 510_000)

    private static let lengths: [TimeSpan] = [
        .microseconds(2_500), .milliseconds(5), .milliseconds(10), .milliseconds(20),
    ]

    private static let frameDurations = Kind<TimeSpan>.time(.nanoseconds(1)...ExperimentScenario.delays.upperBound)
        .checked(range: { "2.5ms, 5ms, 10ms or 20ms" }) { duration, reader in
            if !lengths.contains(duration) { reader.reportInvalid(expected: "2.5ms, 5ms, 10ms or 20ms") }
        }

    /// Whether Media can make it: a rate may be too low for packets that come so often.
    private static func checkFeasible(_ call: Self, _ reader: ScenarioReader) {
        var probe = call
        probe.talkSpurts = nil
        let request = SubstreamRequest(id: "probe", kind: .audio, content: .call(probe.content))
        do {
            _ = try Program(synthetic: [request], duration: .seconds(1), key: DrawKey(seed: 0))
        } catch {
            reader["bitrate"].reportInvalid(
                expected: "3 to 1275 bytes a packet", hint: "raise the bit rate or the frame duration")
        }
    }
}

private let talkMeaning = "Mean lengths of talking and of silence, in which nothing is sent; none: sound all the time."

extension ExperimentScenario.TalkSpurts {
    static let record = Record<Self>(
        Self(on: .seconds(1), off: .seconds(1)),
        [
            .key("on", \.on, lengths, "The mean length of a talk spurt; geometric, in whole packets.")
                .required(like: "1s"),
            .key("off", \.off, lengths, "The mean length of the silence behind it; geometric, in whole packets.")
                .required(like: "1500ms"),
        ])

    private static let lengths = Kind<TimeSpan>.time(.milliseconds(1)...ExperimentScenario.delays.upperBound)

    /// What Media makes of it.
    fileprivate var rhythm: SyntheticCall.TalkSpurts { SyntheticCall.TalkSpurts(on: on, off: off) }

    /// Talk comes in packets.
    fileprivate func check(packet: TimeSpan, _ reader: ScenarioReader) {
        for (key, span) in [("on", on), ("off", off)] where span < packet {
            reader["talk_spurts"][key].report(
                "shorter than a packet", expected: "\(Quantity.text(packet)) at least",
                hint: "what is sent and what is not is whole packets")
        }
    }
}

extension EquipmentImpairment {
    static let record = Record<Self>(
        .g711,
        [
            .key("ie", \.factor, .number(0...95), "Ie: what the codec does to speech without losses.")
                .required(like: "0"),
            .key("bpl", \.lossRobustness, .number(0.1...100), "Bpl: the higher, the less a lost packet is heard.")
                .required(like: "25.1"),
        ])
}
