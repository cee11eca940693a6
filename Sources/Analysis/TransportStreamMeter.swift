import Metrics
import Timebase
import Wire

/// Measures a transport stream that comes in datagrams.
struct TransportStreamMeter {
    let packetLength: Int
    /// Transport packets in the largest datagram.
    private(set) var packetsPerDatagram: Int64 = 0

    private var monitor = TransportStreamMonitor()
    private var counts: [Int64] = Array(repeating: 0, count: 0x2000)
    private(set) var packets: Int64 = 0
    private var rate = PCRRate()
    /// Where nothing else tells what is missing.
    private var missing: MissingPackets?
    /// What the last datagram had of a packet that the next one ends.
    private var rest: [UInt8] = []
    /// Bytes before the first whole packet, that are still to come.
    var bytesBefore = 0
    /// Why there is no media delivery index; nil while there may be one.
    private(set) var indexNote: String?

    /// - Parameter isNumbered: whether its datagrams tell by numbers of their own what is missing.
    init(packetLength: Int, isNumbered: Bool = true) {
        self.packetLength = packetLength
        if !isNumbered { missing = MissingPackets() }
    }

    /// Whether a payload is whole transport packets; their length.
    static func packetLength(of payload: RawSpan) -> Int? {
        for length in [TransportPacket.length, 204] {
            guard payload.byteCount >= length, payload.byteCount % length == 0 else { continue }
            let places = stride(from: 0, to: payload.byteCount, by: length)
            if places.allSatisfy({ (try? payload.bigEndian(UInt8.self, at: $0)) == TransportPacket.syncByte }) {
                return length
            }
        }
        return nil
    }

    /// Where packets begin in bytes that may begin and end within one: behind how many bytes, and how long they are; nil
    /// without `count` sync bytes in their places, or where one place lacks it.
    static func phase(of bytes: RawSpan, count: Int) -> (offset: Int, length: Int)? {
        for length in [TransportPacket.length, 204] {
            for offset in 0..<min(length, bytes.byteCount) {
                let places = stride(from: offset, to: bytes.byteCount, by: length)
                guard (bytes.byteCount - offset + length - 1) / length >= count,
                    places.allSatisfy({ (try? bytes.bigEndian(UInt8.self, at: $0)) == TransportPacket.syncByte })
                else { continue }
                return (offset, length)
            }
        }
        return nil
    }

    /// Takes a datagram's transport packets; instants do not decrease. Packets may begin in one and end in the next.
    mutating func add(_ payload: RawSpan, at instant: Instant) {
        guard rest.isEmpty, bytesBefore == 0, payload.byteCount % packetLength == 0,
            (try? payload.bigEndian(UInt8.self, at: 0)) == TransportPacket.syncByte
        else { return addPieces(payload, at: instant) }
        let before = packets
        // All packets at once are cheaper; with Reed-Solomon bytes between them they come one by one.
        if packetLength == TransportPacket.length {
            let errors = monitor.errors.continuity
            monitor.add(packetsIn: payload, from: 0, instant: instant)
            if monitor.errors.continuity != errors { rate.breakOff() }
            countPackets(of: payload, at: instant)
        } else {
            addPackets(of: payload, from: 0, at: instant)
        }
        packetsPerDatagram = max(packetsPerDatagram, packets - before)
    }

    /// Takes whole packets; how many bytes they and what is before them are.
    @discardableResult
    private mutating func addPackets(of bytes: RawSpan, from start: Int, at instant: Instant) -> Int {
        var offset = start
        while offset <= bytes.byteCount - packetLength {
            add(packet: bytes, at: offset, instant)
            offset += packetLength
        }
        return offset
    }

    /// Counts whole packets without anything between them for their PIDs, and takes their PCRs.
    private mutating func countPackets(of bytes: RawSpan, at instant: Instant) {
        // Those of a PID come in rows, of which each begins as the one before but for its counter.
        let none: UInt32 = 1
        var (beginning, pid, count) = (none, 0, 0 as Int64)
        var offset = 0
        while offset <= bytes.byteCount &- TransportPacket.length {
            packets &+= 1
            let word = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
            if word & ~15 == beginning {
                count &+= 1
            } else if Self.isReadable(word) {
                counts[pid] &+= count
                (beginning, pid, count) = (word & ~15, Self.pid(word), 1)
                if word & 0x20 != 0 {
                    // Each of these is looked at.
                    beginning = none
                    takeReference(bytes, at: offset, instant)
                }
            }
            offset &+= TransportPacket.length
        }
        counts[pid] &+= count
    }

    /// Takes the packet at an offset, whatever it begins with.
    mutating func add(packet bytes: RawSpan, at offset: Int, _ instant: Instant) {
        let errors = monitor.errors.continuity
        monitor.add(bytes, at: offset, instant: instant)
        if monitor.errors.continuity != errors { rate.breakOff() }
        packets += 1
        count(bytes, at: offset, instant)
    }

    /// Where packets do not begin with the datagram: what comes is joined to what the one before left over. When a sync
    /// byte is not where it would be then, something is missing between them.
    @inline(never)
    private mutating func addPieces(_ datagram: RawSpan, at instant: Instant) {
        let skipped = min(bytesBefore, datagram.byteCount)
        bytesBefore -= skipped
        guard skipped < datagram.byteCount else { return }
        let payload = datagram.extracting(skipped..<datagram.byteCount)
        var bytes = rest + payload.copied
        let boundary = rest.isEmpty ? 0 : packetLength
        var start = 0
        if boundary < bytes.count, bytes[boundary] != TransportPacket.syncByte {
            noteMissing()
            bytes = payload.copied
            guard let found = Self.phase(of: payload, count: 1), found.length == packetLength else {
                rest = []
                return
            }
            start = found.offset
        }
        let end = addPackets(of: bytes.span.bytes, from: start, at: instant)
        rest = Array(bytes[end...])
    }

    /// Bytes of the transport packets in a payload: 188 each, as the rate counts them (ISO/IEC 13818-1), whatever is
    /// between them.
    func mediaBytes(of payload: RawSpan) -> Int { payload.byteCount * TransportPacket.length / packetLength }

    /// Counts a packet for its PID, and takes its PCR.
    private mutating func count(_ payload: RawSpan, at offset: Int, _ instant: Instant) {
        guard let word = try? payload.bigEndian(UInt32.self, at: offset), Self.isReadable(word) else { return }
        counts[Self.pid(word)] += 1
        if word & 0x20 != 0 { takeReference(payload, at: offset, instant) }
    }

    /// Whether the first four bytes are a packet's without an error; most have no adaptation field, 0x20, and so no PCR.
    private static func isReadable(_ word: UInt32) -> Bool { word >> 23 == UInt32(TransportPacket.syncByte) << 1 }

    private static func pid(_ word: UInt32) -> Int { Int(word >> 8 & 0x1fff) }

    private mutating func takeReference(_ payload: RawSpan, at offset: Int, _ instant: Instant) {
        guard !rate.isSettled || missing != nil, let header = TransportPacketHeader(payload, at: offset),
            let pcr = header.pcr(payload, at: offset)
        else { return }
        missing?.add(pcr: pcr, pid: header.pid, packet: packets, errors: monitor.errors.continuity, at: instant)
        rate.add(pcr: pcr, pid: header.pid, packet: packets, isDiscontinuous: header.discontinuityIndicator)
    }

    /// Says that a datagram is missing here.
    mutating func noteMissing() {
        monitor.noteMissingBytes()
        rate.breakOff()
    }

    /// Tells a stream's quality the media's rate, once the PCRs have told it or cannot.
    mutating func tellRate(to quality: inout StreamQuality, atEnd: Bool = false) {
        guard quality.awaitsMediaRate, atEnd || rate.isSettled || quality.isWaitingMediaFull else { return }
        switch rate.verdict {
        case .constant(let bits) where bits > 0:
            missing?.begin(rate: bits)
            return quality.begin(mediaRate: BitRate(bitsPerSecond: UInt64(bits)))
        case .variable:
            indexNote = "no MDI: the transport stream's rate is not constant, and RFC 4445 needs a nominal rate"
        default:
            indexNote = "no MDI: too few PCRs to tell the transport stream's rate"
        }
        quality.begin(mediaRate: nil)
    }

    mutating func finish(at end: Instant? = nil) { monitor.finish(at: end) }

    var continuityErrors: Int64 { monitor.errors.continuity }
    /// Packets that did not come, by the clock of a constant rate; nil where that cannot be told.
    var missingPackets: Int64? {
        guard case .constant(let bits) = rate.verdict, bits > 0 else { return nil }
        return missing?.count
    }
    /// The first PCR's PID and the like say nothing where no packet came.
    var isEmpty: Bool { packets == 0 }

    var measurements: CapturedTransportStream {
        var result = CapturedTransportStream()
        result.packets = packets
        result.packetLength = packetLength
        if case .constant(let bits) = rate.verdict { result.pcrBitsPerSecond = bits }
        result.measurements = monitor.measurements(point: "capture")
        result.pids = counts.enumerated().filter { $0.element > 0 }.map { (UInt16($0.offset), $0.element) }
        return result
    }
}
