import Media
import Sender
import Timebase
import Wire

/// Writes PES packets into a transport stream file: tables every 100 ms, clock references every 20 ms, and of each unit
/// all packets behind one another, a second before it is decoded.
///
/// The rate is whatever the units have. Where nothing is due the clock goes on alone, so that a stall lasts as long in the
/// file as it did.
final class TransportStreamWriter {
    private let file: OutputFile
    private let program: Program
    private let pids: [UInt16]
    private var tables: TableCarousel
    /// Of each substream, of its latest packet.
    private var continuity: [UInt8]
    private let referenceStream: Int?
    /// Ticks of 27 MHz: the next clock reference; nil before the first unit.
    private var nextReference: Int64?
    private let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: TransportPacket.length, alignment: 8)

    /// How long before its decoding a unit is there: longer than pictures wait for others that are decoded first.
    static let lead = MediaClock.system
    /// ETSI TS 101 154 wants 40 ms at most.
    private static let referencePeriod = MediaClock.system / 50
    /// What lies farther ahead is another timeline, and no stall.
    private static let longestStep = 3_600 * MediaClock.system

    init(_ file: OutputFile, _ program: Program) {
        self.file = file
        self.program = program
        pids = program.substreams.map(\.pid)
        tables = TableCarousel(program, slotDuration: .zero)
        continuity = Array(repeating: 15, count: pids.count)
        referenceStream = pids.firstIndex(of: program.pcrPID)
    }

    deinit { packet.deallocate() }

    /// Writes a PES packet.
    ///
    /// - Parameters:
    ///   - stream: by number in the program.
    ///   - decode: when it is decoded, ticks of 90 kHz; of any substream later than what has been written by no more than the
    ///     lead less.
    ///   - isRandomAccess: whether decoding can begin with it.
    func write(_ unit: [UInt8], stream: Int, decode: Int64, isRandomAccess: Bool) {
        advance(to: decode * 300 - Self.lead)
        var offset = 0
        while offset < unit.count {
            continuity[stream] = (continuity[stream] + 1) & 15
            let fields = TransportPacketFields(
                pid: pids[stream], continuityCounter: continuity[stream], payloadUnitStart: offset == 0,
                randomAccess: offset == 0 && isRandomAccess)
            let payload = writeTransportPacket(fields, payloadCount: unit.count - offset, to: packet)
            unit.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: packet[payload]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + payload.count]))
            }
            offset += payload.count
            file.write(UnsafeRawBufferPointer(packet))
        }
    }

    /// Ends with a clock reference, so that it is known how long the last packets took.
    ///
    /// - Throws: ``SystemError``.
    func close() throws {
        if let nextReference { advance(to: nextReference) }
        try file.close()
    }

    /// Writes the clock references and tables that are due by `clock`.
    private func advance(to clock: Int64) {
        var isNew = nextReference == nil
        var next = nextReference ?? clock
        if clock - next > Self.longestStep { (next, isNew) = (clock, true) }
        while next <= clock {
            let time = MediaClock.span(ticks: next, rate: MediaClock.system)
            while tables.isDue(at: time) {
                tables.write(to: packet, at: time)
                file.write(UnsafeRawBufferPointer(packet))
            }
            writeReference(next, isNew: isNew && nextReference != nil)
            isNew = false
            next += Self.referencePeriod
        }
        nextReference = next
    }

    /// A packet with a clock reference alone: its counter is that of the PID's latest one (ISO/IEC 13818-1 §2.4.3.3).
    private func writeReference(_ ticks: Int64, isNew: Bool) {
        var fields = TransportPacketFields(
            pid: program.pcrPID, continuityCounter: referenceStream.map { continuity[$0] } ?? 0, pcr: ticks)
        fields.discontinuity = isNew
        _ = writeTransportPacket(fields, payloadCount: 0, to: packet)
        file.write(UnsafeRawBufferPointer(packet))
    }
}
