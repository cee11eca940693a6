import Media
import Timebase

extension ExperimentScenario {
    /// What is sent.
    public enum Program: Equatable, Sendable {
        /// A file, sent as it is.
        case file(ProgramFile)
        /// At least one, ids unique.
        case substreams([Substream])
    }

    /// A transport-stream file.
    public struct ProgramFile: Equatable, Sendable {
        /// Absolute path.
        public var path: String
        /// Whether it begins again at its end, until `duration`.
        var loops: Bool
        /// What the file's SHA-256 must be, 64 lower-case hexadecimal digits; nil: not checked.
        public var sha256: String?
    }

    /// A substream that is made, or traced.
    public struct Substream: Equatable, Sendable {
        /// Letters, digits, `_` and `-`.
        var id: String
        var kind: Kind
        var source: Source
        /// On which it is captured; nil: the sender's.
        var clock: Clock?

        enum Kind: String, Sendable, CaseIterable { case video, audio, data }
    }

    /// Where a substream's units come from.
    enum Source: Equatable, Sendable {
        case h264(H264)
        case mp2(MP2)
        case g711(G711)
        case opus(Opus)
        case opaque(Opaque)
        /// Absolute path of a table `time,size,type`.
        case trace(path: String)
    }

    struct H264: Equatable, Sendable {
        var frameRate: UnitsPerSecond
        /// 1...600 letters I, P and B in order of presentation, an I first.
        var gop: String
        /// Of the access units, by the clock of the program.
        var bitRate: BitRate
        /// Half range of the uniform deviation of a unit's size from its picture type's usual one.
        var sizeVariation: Ratio
    }

    /// MPEG-1 audio layer II.
    struct MP2: Equatable, Sendable {
        /// 1152 samples: 24 ms (48 kHz) or 36 ms (32 kHz).
        var frameDuration: TimeSpan
        /// One of the layer's (ISO/IEC 11172-3 §2.4.2.3).
        var bitRate: BitRate
    }

    /// Bytes without a meaning.
    struct Opaque: Equatable, Sendable {
        var timing: Timing
        var volume: Volume
        /// Half range of the uniform deviation of a unit's size from the mean.
        var sizeVariation: Ratio

        /// How much there is.
        enum Volume: Equatable, Sendable {
            case bitRate(BitRate)
            /// Bytes of the mean unit.
            case unitSize(Int)
        }

        /// How often units come.
        enum Timing: Equatable, Sendable {
            case rate(UnitsPerSecond)
            /// 1 us...1 h.
            case period(TimeSpan)
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Program {
    static let missing = Missing(
        statement: "nothing to send", expected: "a file or substreams",
        hint: "program: { file: movie.ts }, or a list of substreams")

    static let choice = Choice<Self>(
        [
            Alternative(ExperimentScenario.ProgramFile.record, embed: Self.file) {
                if case .file(let file) = $0 { file } else { nil }
            },
            Alternative(
                "substreams", ExperimentScenario.Substream.list,
                "The parts of the program, made or traced: at most 32, of codec h264 at most 16.",
                embed: Self.substreams
            ) { if case .substreams(let substreams) = $0 { substreams } else { nil } }
            .like("[ { id: video, synthetic: { codec: h264, bitrate: 4 Mbit/s } } ]"),
        ], missing: missing)
}

extension ExperimentScenario.ProgramFile {
    private static let digest = Kind<String>.scalar(
        Shape.Scalar(noun: "64 hexadecimal digits", example: String(repeating: "a5", count: 32)),
        { text throws(QuantityProblem) in
            let digits = text.lowercased()
            guard digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else {
                throw QuantityProblem(expected: "64 hexadecimal digits", hint: nil)
            }
            return digits
        }, { ScenarioText.quoted($0) })

    static let record = Record<Self>(
        Self(path: "", loops: false, sha256: nil),
        [
            .key("file", \.path, .file, "An MPEG transport stream; its audio and video become substreams.")
                .like("movie.ts"),
            .key("loop", \.loops, .truth, "Whether the file begins again at its end, until the duration.").like("true"),
            .optional("sha256", \.sha256, digest, "What the file's SHA-256 must be; other files are refused."),
        ])
}

extension ExperimentScenario.Substream {
    static let record = Record<Self>(
        Self(id: "", kind: .data, source: .opaque(.any)),
        [
            .key("id", \.id, .identifier, "What results call it.")
                .required("a name, such as id: video", like: "video"),
            .key("kind", \.kind, .words(), "What it holds; of opaque units it must be said.")
                .usually("video of codec h264, audio of mp2, g711 and opus, data of a trace").like("video"),
            .oneOf(
                \.source,
                Choice(
                    [
                        Alternative(
                            "synthetic", ExperimentScenario.Source.codec.kind(isBlock: true), "Units that are made.",
                            embed: { $0 },
                            extract: { if case .trace = $0 { nil } else { $0 } }
                        ).like("{ codec: h264, bitrate: 4 Mbit/s }"),
                        Alternative(
                            "trace", .file, "Units from a table time,size,type.",
                            embed: ExperimentScenario.Source.trace
                        ) { if case .trace(let path) = $0 { path } else { nil } }.like("slides.csv"),
                    ], group: "content",
                    missing: Missing(
                        statement: "nothing says what this substream holds",
                        expected: "synthetic: { codec: h264, ... } or trace: FILE"))),
            .optional(
                "clock", \.clock, ExperimentScenario.Clock.steady.kind(),
                "The clock on which it is captured, as a sound card has its own, if not the sender's; of rtp-separate."
            ).like("{ frequency: 200 ppm }").needs("sender", "{ carriage: rtp-separate }", levels: 2),
        ], rules: [Rule("kind") { settleKind(&$0, $1) }])

    private static func settleKind(_ substream: inout Self, _ reader: ScenarioReader) {
        var usual: Kind?
        switch reader["synthetic"]["codec"].text {
        case "h264": usual = .video
        case "mp2", "g711", "opus": usual = .audio
        case "opaque" where !reader.has("kind"): reader["kind"].report(Missing(expected: "video, audio or data"))
        default: break
        }
        if !reader.has("kind") {
            substream.kind = usual ?? .data
        } else if let usual, substream.kind != usual {
            reader["kind"].report(
                "a substream of this codec is not '\(substream.kind.rawValue)'", expected: usual.rawValue)
        }
    }

    /// As many as have a number in the table of stream_ids; of video only 16 (ISO/IEC 13818-1 table 2-22).
    private static let mostVideos = 16

    static let list = record.kind(isBlock: true).list(
        most: (32, "substreams"), empty: Missing(statement: "nothing to send", expected: "at least one substream"),
        isBlock: true
    ).checked { _, reader in
        let elements = reader.elements ?? []
        elements.reportDuplicateIDs()
        let videos = elements.filter { $0["synthetic"]["codec"].text == "h264" }
        if videos.count > mostVideos {
            videos[mostVideos].report("more than \(mostVideos) substreams of codec h264")
        }
    }
}

extension [ScenarioReader] {
    func reportDuplicateIDs() {
        var ids: Set<String> = []
        for element in self {
            guard let id = element["id"].text, !id.isEmpty, !ids.insert(id).inserted else { continue }
            element["id"].report("id '\(id)' is given twice")
        }
    }
}

// MARK: - Synthetic sources

extension ExperimentScenario.Source {
    static let codec = Choice<Self>(
        by: Shape.Field(
            name: "codec", shape: Shape(), meaning: "What the units are: pictures, frames or any bytes.",
            example: "h264"),
        [
            Alternative(word: "h264", ExperimentScenario.H264.record, embed: Self.h264) {
                if case .h264(let video) = $0 { video } else { nil }
            },
            Alternative(word: "mp2", ExperimentScenario.MP2.record, embed: Self.mp2) {
                if case .mp2(let audio) = $0 { audio } else { nil }
            },
            Alternative(word: "g711", ExperimentScenario.G711.record, embed: Self.g711) {
                if case .g711(let call) = $0 { call } else { nil }
            },
            Alternative(word: "opus", ExperimentScenario.Opus.record, embed: Self.opus) {
                if case .opus(let call) = $0 { call } else { nil }
            },
            Alternative(
                word: "opaque", ExperimentScenario.Opaque.record,
                embed: { parts, reader in ExperimentScenario.Opaque(parts, reader).map(Self.opaque) },
                extract: { if case .opaque(let opaque) = $0 { ExperimentScenario.Opaque.Parts(opaque) } else { nil } }),
        ], missing: Missing(expected: "h264, mp2, g711, opus or opaque"))

    /// Of one substream.
    fileprivate static let bitRates = BitRate(bitsPerSecond: 100)...BitRate(bitsPerSecond: 10_000_000_000)
}

extension ExperimentScenario.H264 {
    private static let groupOfPictures = Kind<String>.scalar(
        Shape.Scalar(noun: "letters I, P and B", example: "IBBPBBPBBPBB", range: { "up to 600, an I first" }),
        { text throws(QuantityProblem) in
            let pattern = text.uppercased()
            guard (1...600).contains(pattern.utf8.count), pattern.hasPrefix("I"), pattern.allSatisfy("IPB".contains)
            else {
                throw QuantityProblem(
                    expected: "up to 600 letters I, P and B as they are shown, an I first, such as IBBPBBPBBPBB",
                    hint: nil)
            }
            return pattern
        }, { $0 })

    static let record = Record<Self>(
        Self(
            frameRate: UnitsPerSecond(numerator: 25, denominator: 1), gop: "IBBPBBPBBPBB",
            bitRate: ExperimentScenario.Source.bitRates.lowerBound, sizeVariation: .zero),
        [
            .key("frame_rate", \.frameRate, .unitRate, "Pictures a second."),
            .key("gop", \.gop, groupOfPictures, "The group of pictures, as they are shown.").like("IPPP"),
            .key(
                "bitrate", \.bitRate, .bitRate(ExperimentScenario.Source.bitRates),
                "The bit rate of the access units, enough for all of them."
            )
            .required(like: "4 Mbit/s"),
            .key(
                "size_variation", \.sizeVariation, .ratio,
                "How far, at most, a unit's size lies from its picture type's usual one; uniform."
            ).like("20%"),
        ], rules: [Rule("frame_rate", "gop", "bitrate", "size_variation") { checkFeasible($0, $1) }])

    /// Whether Media can make it: a rate may be too low for the pictures that it is to hold.
    private static func checkFeasible(_ video: Self, _ reader: ScenarioReader) {
        let span = TimeSpan.seconds(video.frameRate.denominator)
        guard let rate = UnitRate(count: video.frameRate.numerator, every: span),
            let pattern = GroupOfPictures(video.gop)
        else { return }
        let content = SyntheticVideo(
            frameRate: rate, groupOfPictures: pattern, bitRate: video.bitRate, sizeVariation: video.sizeVariation.value)
        let request = SubstreamRequest(id: "probe", kind: .video, content: .h264(content))
        do {
            _ = try Program(synthetic: [request], duration: .seconds(1), key: DrawKey(seed: 0))
        } catch .bitRateOutOfRange {
            reader["bitrate"].reportInvalid(
                expected: "enough for pictures that come so often", hint: "raise the bit rate")
        } catch {
            reader.report("this substream cannot be made")
        }
    }
}

extension ExperimentScenario.MP2 {
    /// kbit/s (ISO/IEC 11172-3 §2.4.2.3).
    private static let rates = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]

    static let record = Record<Self>(
        Self(frameDuration: .milliseconds(24), bitRate: ExperimentScenario.Source.bitRates.lowerBound),
        [
            .key("frame_duration", \.frameDuration, frameDurations, "How long a frame of 1152 samples lasts.")
                .like("24ms"),
            .key("bitrate", \.bitRate, bitRates, "The bit rate, one of layer II's.").required(
                like: "192 kbit/s"),
            .key("size_variation", noVariation, "Of codec mp2 all frames have one size.") { _ in
                nil
            } set: { _, _ in
            }
            .usually("0%").like("0%"),
        ])

    private static let frameDurations = Kind<TimeSpan>.time(.nanoseconds(1)...ExperimentScenario.delays.upperBound)
        .checked(range: { "24ms or 36ms" }) { duration, reader in
            if duration != .milliseconds(24), duration != .milliseconds(36) {
                reader.reportInvalid(expected: "24ms or 36ms: a frame has 1152 samples, at 48 or 32 kHz")
            }
        }

    private static let bitRates = Kind<BitRate>.bitRate(ExperimentScenario.Source.bitRates)
        .checked(range: { rateNames }) { rate, reader in
            if !rates.contains(where: { UInt64($0) * 1000 == rate.bitsPerSecond }) {
                reader.reportInvalid(expected: "one of the rates of layer II: \(rateNames)")
            }
        }

    private static let rateNames = rates.map { "\($0)" }.joined(separator: ", ") + " kbit/s"

    private static let noVariation = Kind<Ratio>.ratio.checked(range: { "0% alone" }) { variation, reader in
        if variation != .zero {
            reader.report("the frames of codec mp2 all have one size", expected: "0%", hint: "leave it out")
        }
    }
}

extension ExperimentScenario.Opaque {
    fileprivate static let any = Self(timing: .period(.milliseconds(20)), volume: .unitSize(160), sizeVariation: .zero)

    /// Two of unit size, bit rate and timing, as they are written; the third follows.
    struct Parts: Sendable {
        var timing: Timing?
        var bitRate: BitRate?
        var unitSize: Int?
        var sizeVariation = Ratio.zero
    }

    static let record = Record<Parts>(Parts(), keys.map { $0.needs("kind", "data", levels: 1) })

    private static let keys: [Field<Parts>] =
        [
            .oneOf(
                \.timing,
                Choice<Timing?>(
                    [
                        Alternative("frame_rate", .unitRate, "Units a second.", embed: { .rate($0) }) {
                            if case .rate(let rate)? = $0 { rate } else { nil }
                        },
                        Alternative(
                            "frame_duration", .time(.microseconds(1)...ExperimentScenario.delays.upperBound),
                            "The time from one unit to the next.", embed: { .period($0) }
                        ) { if case .period(let span)? = $0 { span } else { nil } },
                    ], group: "timing")
            ).needs("unit_size", "160 B"),
            .optional("bitrate", \.bitRate, .bitRate(ExperimentScenario.Source.bitRates), "The bit rate of the units.")
                .like("64 kbit/s").needs("frame_duration", "20ms"),
            .optional("unit_size", \.unitSize, .byteCount(1...100_000_000), "The size of the mean unit.")
                .like("160 B").needs("frame_duration", "20ms"),
            .key(
                "size_variation", \.sizeVariation, .ratio,
                "How far, at most, a unit's size lies from the mean; uniform."
            ).like("20%").needs("unit_size", "160 B").needs("frame_duration", "20ms"),
        ]

    /// Two of unit size, bit rate and timing; the third follows.
    fileprivate init?(_ parts: Parts, _ reader: ScenarioReader) {
        self = Self.any
        sizeVariation = parts.sizeVariation
        let isTimed = reader.has("frame_rate") || reader.has("frame_duration")
        let count = [reader.has("unit_size"), reader.has("bitrate"), isTimed].count { $0 }
        guard count == 2 else {
            reader.report(
                count < 2 ? "too little is said about the units" : "too much is said about the units",
                expected: "two of unit_size, bitrate, and frame_duration or frame_rate")
            return nil
        }
        if let given = parts.timing { timing = given }
        if let rate = parts.bitRate { volume = .bitRate(rate) }
        guard let size = parts.unitSize else { return }
        volume = .unitSize(size)
        guard let rate = parts.bitRate else { return }
        do {
            timing = .rate(try Quantity.unitRate("\(rate.bitsPerSecond)/\(size * 8)"))
        } catch {
            reader["unit_size"].report(
                "unit_size and bitrate give a rate of units that is too odd", hint: "give frame_duration instead of one"
            )
        }
    }
}

extension ExperimentScenario.Opaque.Parts {
    fileprivate init(_ opaque: ExperimentScenario.Opaque) {
        timing = opaque.timing
        sizeVariation = opaque.sizeVariation
        switch opaque.volume {
        case .bitRate(let rate): bitRate = rate
        case .unitSize(let size): unitSize = size
        }
    }
}
