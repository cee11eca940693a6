import Emulator
import Metrics
import Results
import Scenario
import Timebase

/// `rubato quality` from its arguments to its exit status.
///
/// The run is done again from its own record, whatever it has kept: what it sent, and what was shown with the times of its
/// capture, go into files that are gone when ffmpeg has compared them.
public struct QualitySession {
    var path: String
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console

    /// What `rubato quality` does with a saved run, before its options.
    public init(_ path: String, console: Console) {
        self.path = path
        self.console = console
    }

    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        let saved = try SavedRun(reading: path)
        let ffmpeg = try FFmpeg()
        let configuration = try configuration(of: saved)
        let directory = try RunDirectory(parent: FileTree.parent(of: saved.path), provisionalName: "quality")
        defer { directory.discard() }
        let media = try replay(saved, configuration, in: directory)
        var report = QualityReport()
        for receiver in 0..<media.receiverCount {
            for (number, lane) in media.lanes.enumerated() {
                if let signal = Interrupt.signalNumber { return 128 + signal }
                let scores = try compare(media, receiver, video: number, ffmpeg, in: directory)
                report.add(media, receiver: receiver, lane: lane, scores: scores)
            }
        }
        if let signal = Interrupt.signalNumber { return 128 + signal }
        try report.write(into: saved)
        if json {
            console.result(report.document(of: saved).document())
        } else if !quiet {
            console.result(report.text(isColoured: console.isColoured))
            console.message("each picture: \(saved.path)/quality.csv")
        }
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }

    private func configuration(of saved: SavedRun) throws -> WorldConfiguration {
        let scenario = saved.path + "/resolved.yaml"
        guard FileTree.kind(of: scenario) == .file else {
            throw UserFacingError("'\(path)' cannot be run again: it has no resolved.yaml")
        }
        var configuration = try Experiment.configuration(RunRequest(scenario: scenario))
        guard QualityMedia.hasPictures(configuration) else {
            throw UserFacingError.usage("'\(path)' has no video whose pictures could be compared")
        }
        QualityMedia.taps(&configuration.taps)
        return configuration
    }

    private func replay(
        _ saved: SavedRun, _ configuration: WorldConfiguration, in directory: RunDirectory
    ) throws -> QualityMedia {
        Interrupt.install()
        let media = try QualityMedia(configuration, in: directory)
        let monitor = RunMonitor(
            total: .nanoseconds(saved.fact("duration_ns").integer ?? 0), console: quiet ? nil : console,
            stopTime: saved.stopTime)
        defer { monitor.finish() }
        var world = World(configuration)
        VirtualTime.run(
            &world,
            shouldStop: { world in
                monitor.report(world.now)
                return monitor.shouldStop(at: world.now)
            }, take: { world, output in media.take(output, of: world) })
        try media.close()
        let digest = world.measurements().digest.hexadecimal
        guard Interrupt.isRequested || digest == saved.fact("digest").string else {
            throw UserFacingError(
                "'\(path)' did not come out the same again: its digest is not \(digest)",
                remedy: "run it again with this version: rubato run \(saved.path)/resolved.yaml --out DIR")
        }
        return media
    }

    /// What ffmpeg says of each picture sent and the one that was on screen in its place; nil where none ever was.
    private func compare(
        _ media: QualityMedia, _ receiver: Int, video: Int, _ ffmpeg: FFmpeg, in directory: RunDirectory
    ) throws -> [UInt8]? {
        guard media.showsAny(receiver: receiver, lane: media.lanes[video]) else { return nil }
        // A picture of the first input meets the latest one of the second that is not behind it.
        let filter =
            "[1:v:\(video)]split[a][b];[0:v:\(video)][a]ssim[c];[c][b]psnr,metadata=mode=print:file=scores[d]"
        // Several threads conceal the same damage in one way or another, as they come.
        let input = ["-threads", "1", "-copyts", "-i"]
        try ffmpeg.run(
            input + ["sent.ts"] + input + [media.shownPath(receiver: receiver)]
                + ["-filter_complex", filter, "-map", "[d]", "-f", "null", "-"], in: directory.workingPath)
        return try FileTree.contents(of: directory.workingPath + "/scores")
    }
}
