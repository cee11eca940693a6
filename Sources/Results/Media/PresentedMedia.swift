import Emulator
import Media
import Timebase
import Wire

/// `presented.ts`: what one receiver presented, as a transport stream whose PTS say when.
///
/// A PTS is the program's first one and the time since emulated time zero, so that it less the PTS in `sent.ts` is how long
/// the unit took. Units have what came of them. Those that nothing could be decoded of, and those that were passed over,
/// are not there; of video the latter are, a tick before the one that was shown in their place, as others refer to them.
final class PresentedMedia {
    private let writer: TransportStreamWriter
    /// Ticks of 90 kHz at emulated time zero.
    private let origin: Int64
    private var collectors: [PacketCollector]
    private var lanes: [PresentedLane]
    /// By lane, what only waits for its turn among the others.
    private var ready: [PresentedLane.Ready?]
    /// Bytes kept at most; beyond it what the others wait for is given up.
    private static let capacity = 64 << 20

    init(_ file: OutputFile, _ program: Program) {
        writer = TransportStreamWriter(file, program)
        origin = program.firstPresentation
        collectors = program.substreams.map { PacketCollector(pid: $0.pid) }
        lanes = program.substreams.map { PresentedLane(isReferredTo: $0.kind == .video, timestampBits: 33) }
        ready = lanes.map { _ in nil }
    }

    /// Takes transport packets as the receiver's playout buffer releases them.
    func take(packets: UnsafeRawBufferPointer) {
        for offset in stride(from: 0, through: packets.count - TransportPacket.length, by: TransportPacket.length) {
            let packet = UnsafeRawBufferPointer(rebasing: packets[offset..<offset + TransportPacket.length])
            for lane in lanes.indices where collectors[lane].take(packet, into: &lanes[lane]) { break }
        }
        if lanes.reduce(0, { $0 + $1.byteCount }) > Self.capacity { giveUp() }
    }

    func take(_ unit: PresentedUnit) {
        let ticks = MediaClock.ticks(unit.at - .zero, rate: MediaClock.ninetyKilohertz, .nearest)
        lanes[unit.lane].present(unit.timestamp, at: origin + ticks, isShown: unit.isShown)
        writeReady()
    }

    /// - Throws: ``SystemError``.
    func close() throws {
        for lane in lanes.indices { lanes[lane].finish() }
        writeReady()
        try writer.close()
    }

    private func giveUp() {
        guard let longest = lanes.indices.max(by: { lanes[$0].byteCount < lanes[$1].byteCount }) else { return }
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
        var bytes = ready.unit.bytes
        if let presentation = ready.presentation, presentation != ready.decode { Self.makeRoomForDTS(in: &bytes) }
        bytes.withUnsafeMutableBytes { bytes in
            if let presentation = ready.presentation {
                PESHeader.replaceTimestamps(in: bytes, pts: presentation, dts: ready.decode)
            }
            // PES_packet_length says what is there; 0 is video of any length (ISO/IEC 13818-1 §2.4.3.7).
            guard bytes.count >= 6, bytes[4] | bytes[5] != 0 else { return }
            let length = UInt16(exactly: bytes.count - 6) ?? 0
            (bytes[4], bytes[5]) = (UInt8(length >> 8), UInt8(truncatingIfNeeded: length))
        }
        writer.write(bytes, lane: lane, decode: ready.decode, isRandomAccess: ready.unit.isRandomAccess)
    }
    /// A unit that was made to be decoded when it is presented, and is decoded before now, gets a DTS.
    private static func makeRoomForDTS(in bytes: inout [UInt8]) {
        guard let header = try? PESHeader(parsing: bytes.span.bytes), header.pts != nil, header.dts == nil,
            bytes[8] <= 250
        else { return }
        bytes[7] |= 0xc0
        bytes[8] += 5
        // With its marker bits; what it says comes later.
        bytes.insert(contentsOf: [0x11, 0, 1, 0, 1], at: 14)
        bytes[9] |= 0x10
    }
}
