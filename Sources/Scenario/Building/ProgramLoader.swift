import Foundation
import Media
import Metrics
import Timebase

/// Makes the program that a scenario names: reads its file, or has its substreams made.
struct ProgramLoader {
    let scenario: ExperimentScenario
    /// What problems call the scenario.
    let title: String

    func program() throws(ScenarioProblems) -> Program {
        switch scenario.program {
        case .file(let file): try load(file)
        case .substreams(let substreams): try make(substreams)
        }
    }

    // MARK: Made

    private func make(_ substreams: [ExperimentScenario.Substream]) throws(ScenarioProblems) -> Program {
        var requests: [SubstreamRequest] = []
        for (index, substream) in substreams.enumerated() {
            requests.append(
                SubstreamRequest(
                    id: substream.id, kind: kind(substream.kind),
                    content: try content(substream.source, path: "program.substreams.\(index)")))
        }
        do throws(SyntheticProgramError) {
            return try Program(synthetic: requests, duration: scenario.duration, key: DrawKey(seed: scenario.seed))
        } catch {
            throw problem("program.substreams", "these substreams cannot be made: \(explanation(error))")
        }
    }

    private func kind(_ kind: ExperimentScenario.Substream.Kind) -> SubstreamKind {
        switch kind {
        case .video: .video
        case .audio: .audio
        case .data: .data
        }
    }

    private func content(
        _ source: ExperimentScenario.Source, path: String
    ) throws(ScenarioProblems) -> SubstreamRequest.Content {
        switch source {
        case .h264(let video):
            guard let rate = unitRate(video.frameRate), let group = GroupOfPictures(video.gop) else {
                throw problem(path, "this video cannot be made")
            }
            return .h264(
                SyntheticVideo(
                    frameRate: rate, groupOfPictures: group, bitRate: video.bitRate,
                    sizeVariation: video.sizeVariation.value))
        case .mp2(let audio):
            return .mp2(SyntheticAudio(bitRate: audio.bitRate, frameDuration: audio.frameDuration))
        case .g711(let call): return .call(call.content)
        case .opus(let call): return .call(call.content)
        case .opaque(let opaque):
            let rate: UnitRate? =
                switch opaque.timing {
                case .rate(let rate): unitRate(rate)
                case .period(let period): UnitRate(count: 1, every: period)
                }
            guard let rate else { throw problem(path, "units cannot come so often or so seldom") }
            let volume: Media.UnitVolume =
                switch opaque.volume {
                case .bitRate(let rate): .bitRate(rate)
                case .unitSize(let size): .unitSize(size)
                }
            return .opaque(
                SyntheticOpaque(unitRate: rate, volume: volume, sizeVariation: opaque.sizeVariation.value))
        case .trace(let file):
            let bytes = try ProgramLoader.read(file, title: title, path: path + ".trace")
            do throws(UnitTrace.Problem) {
                return .trace(try UnitTrace(csv: bytes))
            } catch {
                throw problem(path + ".trace", "\(file): \(error)")
            }
        }
    }

    private func unitRate(_ rate: UnitsPerSecond) -> UnitRate? {
        UnitRate(count: rate.numerator, every: .seconds(rate.denominator))
    }

    private func explanation(_ error: SyntheticProgramError) -> String {
        switch error {
        case .noSubstreams: "there are none"
        case .tooManySubstreams: "there are more than a program can number (16 video, 32 audio)"
        case .duplicateID(let id): "'\(id)' is there twice"
        case .variationOutOfRange(let id): "size_variation of '\(id)' is not between 0% and 100%"
        case .bitRateOutOfRange(let id): "the bit rate of '\(id)' is too low for its units, or too high"
        case .notACall(let id):
            "'\(id)': the codec has no packets of this length, or a talk spurt or a silence is shorter than one"
        case .notLayerII(let id):
            "'\(id)': layer II has 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 and 384 kbit/s, "
                + "and frames of 24 or 36 ms"
        }
    }

    // MARK: Read

    private func load(_ file: ExperimentScenario.ProgramFile) throws(ScenarioProblems) -> Program {
        let bytes = try ProgramLoader.read(file.path, title: title, path: "program.file")
        do throws(TransportStreamError) {
            return try Program(transportStream: bytes, loop: file.loops, duration: scenario.duration)
        } catch {
            throw problem(
                "program.file", "'\(file.path)' \(explanation(error))\(damage(bytes, error))",
                hint: "a transport stream is needed, such as ffmpeg -i INPUT -c copy OUTPUT.ts makes")
        }
    }

    /// What is wrong with a stream that holds no program, by the names of TR 101 290.
    private func damage(_ bytes: [UInt8], _ error: TransportStreamError) -> String {
        guard case .noProgram = error else { return "" }
        var monitor = TransportStreamMonitor()
        monitor.add(packetsIn: bytes.span.bytes, from: 0, instant: .zero)
        let found = monitor.measurements(point: "file").tr101290.compactMap { name, count in
            count.flatMap { $0 > 0 ? "\(name) \($0)" : nil }
        }
        return found.isEmpty ? "" : "; in it: " + found.joined(separator: ", ")
    }

    private func explanation(_ error: TransportStreamError) -> String {
        switch error {
        case .empty: "is empty"
        case .notTransportStream(let kind):
            "is no MPEG transport stream" + (kind.map { "; it looks like a \($0)" } ?? "")
        case .noProgram(let packets): "has \(packets) transport packets but no program tables that can be read"
        case .noElementaryStreams(let warnings):
            "has no stream that can be sent" + (warnings.isEmpty ? "" : ": " + warnings.joined(separator: "; "))
        case .noTimestamps: "never says when anything is to be presented"
        }
    }

    private func problem(_ path: String, _ statement: String, hint: String? = nil) -> ScenarioProblems {
        ScenarioProblems([ScenarioProblem(.file(title), path: path, statement, hint: hint)])
    }

    /// A whole file.
    static func read(_ file: String, title: String, path: String) throws(ScenarioProblems) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw ScenarioProblems([
                ScenarioProblem(.file(title), path: path, "'\(file)' cannot be read: \(error.localizedDescription)")
            ])
        }
    }
}
