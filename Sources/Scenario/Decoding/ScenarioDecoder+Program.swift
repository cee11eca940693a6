import Media
import Timebase

extension ScenarioDecoder {
    /// What is sent. After a problem, something that lets the rest be read.
    func program(_ reader: ScenarioReader) -> ExperimentScenario.Program {
        if reader["substreams"].isPresent, !reader["file"].isPresent {
            for key in ["loop", "sha256"] where reader[key].isPresent {
                reader[key].report("'\(key)' goes with a file, not with substreams")
            }
            return .substreams(substreams(reader["substreams"]))
        }
        if !reader.isPresent || reader.node?["file"] == nil, reader.node?.isNull != true {
            reader.report(
                "nothing to send", expected: "a file or substreams",
                hint: "program: { file: movie.ts }, or a list of substreams")
        }
        return .file(
            ExperimentScenario.ProgramFile(
                path: reader["file"].file() ?? "", loops: reader["loop"].truth() ?? false,
                sha256: reader["sha256"].scalar { text throws(QuantityProblem) in
                    let digits = text.lowercased()
                    guard digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else {
                        throw QuantityProblem(expected: "64 hexadecimal digits", hint: nil)
                    }
                    return digits
                }))
    }

    private func substreams(_ reader: ScenarioReader) -> [ExperimentScenario.Substream] {
        guard let elements = reader.elements else { return [] }
        if elements.isEmpty { reader.report("nothing to send", expected: "at least one substream") }
        if elements.count > Self.mostSubstreams {
            reader.report("\(elements.count) substreams", expected: "at most \(Self.mostSubstreams)")
        }
        var ids: Set<String> = []
        var videos = 0
        return elements.map { element in
            let substream = substream(element)
            if case .h264 = substream.source { videos += 1 }
            if videos == Self.mostVideos + 1 {
                element.report("more than \(Self.mostVideos) substreams of codec h264")
            }
            if !substream.id.isEmpty, !ids.insert(substream.id).inserted {
                element["id"].report("id '\(substream.id)' is given twice")
            }
            return substream
        }
    }

    /// As many as have a number in the table of stream_ids; of video only 16 (ISO/IEC 13818-1 table 2-22).
    private static let mostSubstreams = 32
    private static let mostVideos = 16

    private func substream(_ reader: ScenarioReader) -> ExperimentScenario.Substream {
        reader["id"].reportMissing(expected: "a name, such as id: video")
        let kind: ExperimentScenario.Substream.Kind? = reader["kind"].word()
        let source: ExperimentScenario.Source
        var usualKind: ExperimentScenario.Substream.Kind?
        if reader["trace"].isPresent {
            source = .trace(path: reader["trace"].file() ?? "")
            usualKind = .data
        } else {
            if !reader["synthetic"].isPresent {
                reader.report(
                    "nothing says what this substream holds",
                    expected: "synthetic: { codec: h264, ... } or trace: FILE")
            }
            source = synthetic(reader["synthetic"])
            switch source {
            case .h264: usualKind = .video
            case .mp2: usualKind = .audio
            case .opaque, .trace: break
            }
            if let kind, let usualKind, kind != usualKind {
                reader["kind"].report(
                    "a substream of this codec is not '\(kind.rawValue)'", expected: usualKind.rawValue)
            }
            if reader["synthetic"]["codec"].text == "opaque" {
                reader["kind"].reportMissing(expected: "video, audio or data")
            }
        }
        return ExperimentScenario.Substream(
            id: reader["id"].identifier() ?? "", kind: kind ?? usualKind ?? .data, source: source)
    }

    /// Whether Media can make it: a rate may be too low for the pictures that it is to hold.
    private func checkFeasible(_ reader: ScenarioReader, _ content: SubstreamRequest.Content) {
        let request = SubstreamRequest(id: "probe", kind: .video, content: content)
        do {
            _ = try Program(synthetic: [request], duration: .seconds(1), key: DrawKey(seed: 0))
        } catch .bitRateOutOfRange {
            reader["bitrate"].reportInvalid(
                expected: "enough for pictures that come so often", hint: "raise the bit rate")
        } catch {
            reader.report("this substream cannot be made")
        }
    }

    // MARK: - Synthetic sources

    private func synthetic(_ reader: ScenarioReader) -> ExperimentScenario.Source {
        guard reader.isPresent else { return .opaque(Self.anyOpaque) }
        switch reader["codec"].text {
        case "h264": return .h264(h264(reader))
        case "mp2": return .mp2(mp2(reader))
        case "opaque": return .opaque(opaque(reader))
        default:
            reader["codec"].reportMissing(expected: "h264, mp2 or opaque")
            return .opaque(Self.anyOpaque)
        }
    }

    private static let anyOpaque = ExperimentScenario.Opaque(
        timing: .period(.milliseconds(20)), volume: .unitSize(160), sizeVariation: .zero)

    private func refuse(_ keys: [String], of reader: ScenarioReader, codec: String) {
        for key in keys where reader[key].isPresent {
            reader[key].report("'\(key)' does not go with codec \(codec)", hint: "leave it out")
        }
    }

    /// Of one substream.
    private func mediaBitRate(_ reader: ScenarioReader) -> BitRate {
        reader["bitrate"].reportMissing(expected: "a bit rate with its unit, such as 4 Mbit/s")
        let rates = BitRate(bitsPerSecond: 100)...BitRate(bitsPerSecond: 10_000_000_000)
        return reader["bitrate"].bitRate(rates) ?? rates.lowerBound
    }

    private func h264(_ reader: ScenarioReader) -> ExperimentScenario.H264 {
        refuse(["frame_duration", "unit_size"], of: reader, codec: "h264")
        let gop = reader["gop"].scalar { text throws(QuantityProblem) in
            let pattern = text.uppercased()
            guard (1...600).contains(pattern.utf8.count), pattern.hasPrefix("I"), pattern.allSatisfy("IPB".contains)
            else {
                throw QuantityProblem(
                    expected: "up to 600 letters I, P and B as they are shown, an I first, such as IBBPBBPBBPBB",
                    hint: nil)
            }
            return pattern
        }
        let h264 = ExperimentScenario.H264(
            frameRate: unitRate(reader["frame_rate"]) ?? UnitsPerSecond(numerator: 25, denominator: 1),
            gop: gop ?? "IBBPBBPBBPBB", bitRate: mediaBitRate(reader),
            sizeVariation: reader["size_variation"].ratio() ?? .zero)
        let span = TimeSpan.seconds(h264.frameRate.denominator)
        let hasRate = reader["bitrate"].isPresent
        if hasRate, let rate = UnitRate(count: h264.frameRate.numerator, every: span),
            let pattern = GroupOfPictures(h264.gop)
        {
            let video = SyntheticVideo(
                frameRate: rate, groupOfPictures: pattern, bitRate: h264.bitRate,
                sizeVariation: h264.sizeVariation.value)
            checkFeasible(reader, .h264(video))
        }
        return h264
    }

    /// kbit/s (ISO/IEC 11172-3 §2.4.2.3).
    private static let layerTwoRates = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]

    private func mp2(_ reader: ScenarioReader) -> ExperimentScenario.MP2 {
        refuse(["frame_rate", "unit_size", "gop"], of: reader, codec: "mp2")
        if let variation = reader["size_variation"].ratio(), variation != .zero {
            reader["size_variation"].report(
                "the frames of codec mp2 all have one size", expected: "0%", hint: "leave it out")
        }
        var duration = TimeSpan.milliseconds(24)
        if let given = reader["frame_duration"].time(Self.shortest...Self.longestDelay) {
            if given == .milliseconds(24) || given == .milliseconds(36) {
                duration = given
            } else {
                reader["frame_duration"].reportInvalid(
                    expected: "24ms or 36ms: a frame has 1152 samples, at 48 or 32 kHz")
            }
        }
        var rate = mediaBitRate(reader)
        let rates = Self.layerTwoRates.map { BitRate(bitsPerSecond: UInt64($0) * 1000) }
        if reader["bitrate"].isPresent, !rates.contains(rate) {
            let names = Self.layerTwoRates.map { "\($0)" }.joined(separator: ", ")
            reader["bitrate"].reportInvalid(expected: "one of the rates of layer II: \(names) kbit/s")
            rate = rates[0]
        }
        return ExperimentScenario.MP2(frameDuration: duration, bitRate: rate)
    }

    /// Two of unit size, bit rate and timing; the third follows.
    private func opaque(_ reader: ScenarioReader) -> ExperimentScenario.Opaque {
        refuse(["gop"], of: reader, codec: "opaque")
        var opaque = Self.anyOpaque
        opaque.sizeVariation = reader["size_variation"].ratio() ?? .zero
        let size = reader["unit_size"].bounded(1...100_000_000, { Quantity.text(bytes: $0) }) {
            text throws(QuantityProblem) in try Quantity.byteCount(text)
        }
        let rate = reader["bitrate"].isPresent ? mediaBitRate(reader) : nil
        var timing: ExperimentScenario.Opaque.Timing?
        if let given = unitRate(reader["frame_rate"]) { timing = .rate(given) }
        if let given = reader["frame_duration"].time(.microseconds(1)...Self.longestDelay) { timing = .period(given) }
        let isTimed = reader["frame_rate"].isPresent || reader["frame_duration"].isPresent
        let count = [reader["unit_size"].isPresent, reader["bitrate"].isPresent, isTimed].count { $0 }
        guard count == 2 else {
            reader.report(
                count < 2 ? "too little is said about the units" : "too much is said about the units",
                expected: "two of unit_size, bitrate, and frame_duration or frame_rate")
            return opaque
        }
        if let timing { opaque.timing = timing }
        if let rate { opaque.volume = .bitRate(rate) }
        if let size { opaque.volume = .unitSize(Int(size)) }
        if let size, let rate { opaque.timing = opaqueTiming(reader, size: size, rate) }
        return opaque
    }

    private func opaqueTiming(
        _ reader: ScenarioReader, size: Int64, _ rate: BitRate
    ) -> ExperimentScenario.Opaque.Timing {
        do {
            return .rate(try Quantity.unitRate("\(rate.bitsPerSecond)/\(size * 8)"))
        } catch {
            reader["unit_size"].report(
                "unit_size and bitrate give a rate of units that is too odd", hint: "give frame_duration instead of one"
            )
            return Self.anyOpaque.timing
        }
    }

    private func unitRate(_ reader: ScenarioReader) -> UnitsPerSecond? {
        reader.scalar { text throws(QuantityProblem) in try Quantity.unitRate(text) }
    }
}
