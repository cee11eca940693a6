import Media
import Timebase
import Wire

/// The program's tables, repeated: PAT and PMT at least every 100 ms, the service description every 500 ms.
///
/// ISO/IEC 13818-1 sets no period; DVB asks for at most 500 ms (ETSI TR 101 290 1.3, 1.5), and 100 ms is what
/// multiplexers use. A round begins some slots early, so that a clock reference between its packets makes none late.
public struct TableCarousel: Sendable {
    static let period = TimeSpan.milliseconds(100)
    /// Slots by which a round begins early.
    static let slotsInHand: Int64 = 4
    private static let servicePeriod = 5

    /// Whole packets in the order in which they are sent, continuity counters still 0.
    private var packets: [UInt8] = []
    /// PID of each packet, for its counter.
    private var pids: [Int] = []
    private var continuity: [UInt8] = [0, 0, 0]
    private var basicCount = 0
    private var round = 0
    /// The packet to be sent next; 0 between rounds.
    private var position = 0
    private(set) var nextDue = TimeSpan.nanoseconds(.min)
    /// From the beginning of a round to that of the next.
    private let roundPeriod: TimeSpan

    /// - Parameter slotDuration: of one packet at the multiplex's rate; zero of a stream that has none.
    public init(_ program: Program, slotDuration: TimeSpan) {
        roundPeriod = Self.roundPeriod(slotDuration)
        let association = ProgramAssociation(
            transportStreamID: program.transportStreamID,
            programs: [.init(programNumber: program.programNumber, pid: program.pmtPID)])
        let map = ProgramMap(
            programNumber: program.programNumber, pcrPID: program.pcrPID,
            descriptors: program.programDescriptors,
            streams: program.substreams.map {
                .init(streamTypeCode: $0.streamType, pid: $0.pid, descriptors: $0.descriptors)
            })
        append(association.section ?? [], pid: 0, lane: 0)
        append(map.section ?? [], pid: program.pmtPID, lane: 1)
        basicCount = pids.count
        if let service = program.serviceDescriptionSection { append(service, pid: 0x11, lane: 2) }
    }

    /// Never less than a slot for each table and each reference that may come between.
    static func roundPeriod(_ slotDuration: TimeSpan) -> TimeSpan {
        max(period - slotDuration * slotsInHand, slotDuration * slotsInHand)
    }

    /// Packets of one round, and those of the service description that every fifth has besides.
    var packetCounts: (basic: Int, service: Int) { (basicCount, pids.count - basicCount) }

    /// Cuts a section into packets: a pointer field of 0 before its first byte, stuffing of 0xff after its last.
    private mutating func append(_ section: [UInt8], pid: UInt16, lane: Int) {
        var rest = [0] + section
        var isFirst = true
        while !rest.isEmpty {
            let header = [
                TransportPacket.syncByte, UInt8(pid >> 8) | (isFirst ? 0x40 : 0), UInt8(truncatingIfNeeded: pid), 0x10,
            ]
            let payload = rest.prefix(184)
            packets += header + payload + Array(repeating: 0xff, count: 184 - payload.count)
            pids.append(lane)
            rest.removeFirst(payload.count)
            isFirst = false
        }
    }

    /// Whether a packet of a round is to be sent at `now`.
    public func isDue(at now: TimeSpan) -> Bool { position > 0 || now >= nextDue }

    /// A round has begun and is not yet complete.
    var isUnderWay: Bool { position > 0 }

    /// Writes the next packet of the round that is due.
    ///
    /// - Parameter packet: at least 188 bytes.
    public mutating func write(to packet: UnsafeMutableRawBufferPointer, at now: TimeSpan) {
        if position == 0 {
            nextDue = now + roundPeriod
        }
        let base = position * TransportPacket.length
        packets.withUnsafeBytes { bytes in
            packet.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[base..<base + TransportPacket.length]))
        }
        let lane = pids[position]
        packet[3] |= continuity[lane]
        continuity[lane] = (continuity[lane] + 1) & 15
        position += 1
        let end = round % Self.servicePeriod == 0 ? pids.count : basicCount
        if position >= end {
            position = 0
            round += 1
        }
    }
}
