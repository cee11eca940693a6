import Emulator
import Media
import Timebase
import Wire

/// What was sent, received or presented of a program: a transport stream, and a WAVE file for each substream of G.711.
///
/// A PTS of what was presented is the program's first one and the time since emulated time zero, so that it less the PTS
/// of what was sent is how long the unit took. Units have what came of them. Those that nothing could be decoded of, and
/// those that were passed over, are not there; of video the latter are, a tick before the one that was shown in their
/// place, as others refer to them.
final class MediaFile {
    enum Timing {
        /// Units lie where they were captured.
        case captured
        /// Units lie where they were presented.
        case presented
        /// Only what was presented, where it was captured.
        case shown
    }

    /// Where a substream goes, by its place there.
    private enum Target {
        case stream(Int)
        case wave(WaveWriter)
    }

    private let timing: Timing
    /// Ticks of 90 kHz at emulated time zero.
    private let origin: Int64
    private let stream: TransportStreamWriter?
    private let targets: [Target]
    private let sessions: SessionMedia?
    private var packets: [PacketCollector] = []
    private var datagrams: [DatagramCollector] = []
    private var lanes: [PresentedLane]
    /// By lane, what only waits for its turn among the others.
    private var ready: [PresentedLane.Ready?]
    /// Bytes kept at most; beyond it what the others wait for is given up.
    private static let capacity = 64 << 20

    /// - Parameters:
    ///   - sessions: nil of a multiplex.
    ///   - create: creates the file whose name ends so.
    /// - Throws: ``SystemError``.
    init(
        _ configuration: WorldConfiguration, _ timing: Timing, _ sessions: SessionMedia?,
        create: (String) throws -> OutputFile
    ) throws {
        let program = configuration.program
        (self.timing, self.sessions) = (timing, sessions)
        origin = program.firstPresentation
        var carried = program
        carried.substreams = []
        var targets: [Target] = []
        for (lane, substream) in program.substreams.enumerated() {
            if let format = sessions?.formats[lane], format.isWave {
                targets.append(.wave(WaveWriter(try create(Self.suffix(substream)), format)))
            } else {
                targets.append(.stream(carried.substreams.count))
                carried.substreams.append(substream)
            }
        }
        self.targets = targets
        stream = carried.substreams.isEmpty ? nil : TransportStreamWriter(try create(".ts"), carried)
        if let sessions {
            datagrams = program.substreams.enumerated().map { lane, substream in
                DatagramCollector(lane, sessions.formats[lane], streamID: substream.streamID)
            }
        } else {
            packets = program.substreams.map { PacketCollector(pid: $0.pid) }
        }
        lanes = program.substreams.map {
            PresentedLane(isReferredTo: $0.kind == .video, timestampBits: sessions == nil ? 33 : 32)
        }
        ready = lanes.map { _ in nil }
    }

    /// How the names of such files end.
    static func suffixes(_ configuration: WorldConfiguration) -> [String] {
        let substreams = configuration.program.substreams
        guard let sessions = SessionMedia(configuration) else { return [".ts"] }
        let waves = substreams.indices.filter { sessions.formats[$0].isWave }
        return (waves.count < substreams.count ? [".ts"] : []) + waves.map { suffix(substreams[$0]) }
    }

    private static func suffix(_ substream: Substream) -> String { "-\(RunDirectory.fileName(substream.id)).wav" }

    /// Takes transport packets.
    func take(packets bytes: UnsafeRawBufferPointer) {
        for offset in stride(from: 0, through: bytes.count - TransportPacket.length, by: TransportPacket.length) {
            let packet = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + TransportPacket.length])
            for lane in lanes.indices where packets[lane].take(packet, into: &lanes[lane]) { break }
        }
        boundMemory()
    }

    /// Takes a session's datagram.
    func take(datagram: UnsafeRawBufferPointer, session: Int) {
        guard let sessions else { return }
        datagrams[session].take(datagram, sessions, into: &lanes[session], isCaptured: timing == .captured)
        if timing == .captured { writeReady() }
        boundMemory()
    }

    /// Takes note of a presentation.
    func take(_ unit: PresentedUnit) {
        let ticks = MediaClock.ticks(unit.at - .zero, rate: MediaClock.ninetyKilohertz, .nearest)
        let instant = timing == .shown ? unit.presentation : origin + ticks
        lanes[unit.lane].present(
            unit.timestamp, at: instant ?? origin, isShown: unit.isShown && instant != nil)
        writeReady()
    }

    /// - Throws: ``SystemError``.
    func close() throws {
        for lane in lanes.indices { lanes[lane].finish() }
        writeReady()
        try stream?.close()
        for case .wave(let writer) in targets { try writer.close() }
    }

    private func boundMemory() {
        guard lanes.reduce(0, { $0 + $1.byteCount }) > Self.capacity,
            let longest = lanes.indices.max(by: { lanes[$0].byteCount < lanes[$1].byteCount })
        else { return }
        lanes[longest].giveUpFirst()
        writeReady()
    }

    /// Writes what is known, in the order in which it is decoded.
    private func writeReady() {
        while true {
            for lane in lanes.indices where ready[lane] == nil { ready[lane] = lanes[lane].next() }
            let first = lanes.indices.min { decode($0) < decode($1) }
            guard let first, let unit = ready[first] else { return }
            // What another lane is held up with is decoded behind its latest unit.
            let waits = lanes.indices.contains {
                $0 != first && ready[$0] == nil && lanes[$0].isHeldUp && lanes[$0].latestDecode < unit.decode
            }
            guard !waits else { return }
            write(unit, lane: first)
            ready[first] = nil
        }
    }

    private func decode(_ lane: Int) -> Int64 { ready[lane]?.decode ?? .max }

    private func write(_ ready: PresentedLane.Ready, lane: Int) {
        switch targets[lane] {
        case .wave(let writer): writer.write(ready.unit.bytes, at: (ready.presentation ?? origin) - origin)
        case .stream(let place):
            stream?.write(
                ready.packet, stream: place, decode: ready.decode, isRandomAccess: ready.unit.isRandomAccess)
        }
    }
}
