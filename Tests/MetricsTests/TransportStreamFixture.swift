import Metrics
import Timebase
import Wire

/// A transport stream of 1000 packets a second (1.504 Mbit/s), so that packet n passes at n ms: PAT and PMT every 100 ms,
/// video (PID 0x100) with a PCR and a PTS every 40 ms, audio (0x101) with a PTS every 10 ms, else null packets.
struct TransportStreamFixture {
    static let rate = BitRate(bitsPerSecond: 1_504_000)
    static let mapPID: UInt16 = 0x20
    static let videoPID: UInt16 = 0x100
    static let audioPID: UInt16 = 0x101

    var packets: [[UInt8]] = []
    var counters: [UInt16: UInt8] = [:]

    /// - Parameter pcr: the clock at packet n, 27 MHz.
    init(count: Int, pcr: (Int) -> Int64 = { Int64($0) * 27_000 }) {
        let association = ProgramAssociation(
            transportStreamID: 1, programs: [.init(programNumber: 1, pid: Self.mapPID)])
        let map = ProgramMap(
            programNumber: 1, pcrPID: Self.videoPID,
            streams: [
                .init(streamTypeCode: 0x1b, pid: Self.videoPID), .init(streamTypeCode: 0x03, pid: Self.audioPID),
            ])
        for number in 0..<count {
            switch (number % 100, number % 40, number % 10) {
            case (0, _, _): appendSection(association.section ?? [], pid: 0)
            case (1, _, _): appendSection(map.section ?? [], pid: Self.mapPID)
            case (_, 2, _): appendUnit(Self.videoPID, streamID: 0xe0, pts: Int64(number) * 90, pcr: pcr(number))
            case (_, _, 5): appendUnit(Self.audioPID, streamID: 0xc0, pts: Int64(number) * 90, pcr: nil)
            default: appendNull()
            }
        }
    }

    /// The next counter of a PID.
    private mutating func counter(_ pid: UInt16) -> UInt8 {
        defer { counters[pid, default: 0] = (counters[pid, default: 0] + 1) & 15 }
        return counters[pid, default: 0]
    }

    mutating func appendNull() { append { TransportPacket.writeNull(to: $0) } }

    mutating func appendSection(_ section: [UInt8], pid: UInt16) {
        let counter = counter(pid)
        append { PSISection.writePacket(0, of: section, pid: pid, continuityCounter: counter, to: $0) }
    }

    mutating func appendUnit(_ pid: UInt16, streamID: UInt8, pts: Int64, pcr: Int64?) {
        let fields = TransportPacketFields(
            pid: pid, continuityCounter: counter(pid), payloadUnitStart: true, pcr: pcr)
        append { packet in
            let payload = writeTransportPacket(fields, payloadCount: 170, to: packet)
            PESHeader(streamID: streamID, pts: pts).write(
                to: UnsafeMutableRawBufferPointer(rebasing: packet[payload]), dataCount: 156)
        }
    }

    private mutating func append(_ write: (UnsafeMutableRawBufferPointer) -> Void) {
        var packet = [UInt8](repeating: 0, count: 188)
        packet.withUnsafeMutableBytes { write($0) }
        packets.append(packet)
    }

    /// The numbers of the packets of a PID.
    func numbers(of pid: UInt16) -> [Int] {
        packets.indices.filter { UInt16(packets[$0][1] & 31) << 8 | UInt16(packets[$0][2]) == pid }
    }

    /// What a monitor says of these packets, packet n passing at `instant(n)`, by default n ms.
    func measured(
        constantRate: BitRate? = Self.rate, instant: (Int) -> Int64 = { Int64($0) * 1_000_000 }
    ) -> TransportStreamMeasurements {
        var monitor = TransportStreamMonitor(constantRate: constantRate)
        for (number, packet) in packets.enumerated() {
            monitor.add(packet.span.bytes, at: 0, instant: Instant(nanoseconds: instant(number)))
        }
        monitor.finish()
        return monitor.measurements(point: "here")
    }
}

extension TransportStreamMeasurements {
    /// The counters that are not 0, by name.
    var failures: [String: Int64] {
        var failures: [String: Int64] = [:]
        for (name, count) in tr101290 where count != 0 { failures[name] = count ?? -1 }
        return failures
    }
}
