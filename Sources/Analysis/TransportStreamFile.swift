import Capture
import Metrics
import Timebase
import Wire

/// Measures a transport stream on disk, by its own clock: packets between two PCRs are spread evenly between their times
/// (ISO/IEC 13818-1 §2.4.2.3), those before the first and behind the last at the rate beside them.
struct TransportStreamFile {
    private var meter = TransportStreamMeter(packetLength: TransportPacket.length)
    /// The packets whose times are not known yet.
    private var waiting: [UInt8] = []
    /// When the first that waits passes, of 27 MHz from the first packet of all on.
    private var now: Int64 = 0
    /// When the clock's latest reference passed.
    private var told: Int64 = 0
    /// So many packets last so many ticks.
    private var pace: (ticks: Int64, packets: Int64)?
    private var clock: (pid: UInt16, pcr: Int64, counter: UInt8)?
    private var packetsSincePCR: Int64 = 0
    /// PCRs of other PIDs since the clock's last.
    private var strangers = 0
    private var jumps: Int64 = 0
    private var last = Instant.zero

    /// PCRs farther apart are another clock's.
    private static let longest: Int64 = 10 * 27_000_000
    /// PCRs of other PIDs behind which this one is no longer the clock.
    private static let mostStrangers = 8
    private static let mostWaiting = 1 << 23

    static func measure(_ reader: TransportStreamReader) throws(SystemError) -> StreamMeasurements {
        var file = TransportStreamFile()
        while try reader.next() { reader.withPacket { file.add($0) } }
        file.flush()
        // How fast what is behind the last clock reference passes is not said.
        file.meter.finish(at: file.instant(file.told))
        return file.measurements(reader)
    }

    private mutating func add(_ packet: RawSpan) {
        if let header = TransportPacketHeader(packet, at: 0), let pcr = header.pcr(packet, at: 0) {
            take(pcr, header)
        }
        packet.withUnsafeBytes { waiting.append(contentsOf: $0) }
        packetsSincePCR += 1
        if waiting.count >= Self.mostWaiting { flush() }
    }

    /// The packet that comes next has a PCR.
    private mutating func take(_ pcr: Int64, _ header: TransportPacketHeader) {
        if let clock, clock.pid != header.pid {
            strangers += 1
            guard strangers >= Self.mostStrangers else { return }
        }
        strangers = 0
        // A packet may be sent twice (ISO/IEC 13818-1 §2.4.3.3), and its copy tells no time of its own.
        if let clock, clock.pcr == pcr, clock.counter == header.continuityCounter, !header.discontinuityIndicator {
            return
        }
        let before = clock
        let count = packetsSincePCR
        (clock, packetsSincePCR) = ((header.pid, pcr, header.continuityCounter), 0)
        guard let before else { return }
        var step = (pcr - before.pcr) % TransportPacket.pcrPeriod
        if step < 0 { step += TransportPacket.pcrPeriod }
        if before.pid == header.pid, !header.discontinuityIndicator, step > 0, step <= Self.longest {
            // What came before the first PCR goes at the pace behind it.
            pace = (step, count)
        } else {
            jumps += 1
        }
        flush()
        told = now
    }

    /// Lets all that wait pass at the latest pace.
    private mutating func flush() {
        let pace = pace ?? (0, 1)
        let count = Int64(waiting.count / TransportPacket.length)
        waiting.withUnsafeBytes { bytes in
            for index in 0..<count {
                let ticks = now + pace.ticks * index / pace.packets
                last = instant(ticks)
                meter.add(packet: bytes.bytes, at: Int(index) * TransportPacket.length, last)
            }
        }
        now += pace.ticks * count / pace.packets
        waiting.removeAll(keepingCapacity: true)
    }

    private func instant(_ ticks: Int64) -> Instant {
        .zero + MediaClock.span(ticks: ticks, rate: MediaClock.system, .down)
    }

    private func measurements(_ reader: TransportStreamReader) -> StreamMeasurements {
        let nowhere = SocketAddress(address: IPAddress(IPv4Address(rawValue: 0)), port: 0)
        var result = StreamMeasurements(source: nowhere, destination: nowhere)
        result.kind = .transportStreamFile
        result.file = reader.input.path
        result.encoding = "MP2T"
        result.transportStream = meter.measurements
        result.transportStream?.packetLength = reader.packetLength
        result.quality.received = meter.packets
        result.quality.bytes = meter.packets * Int64(TransportPacket.length)
        result.quality.bitsPerSecond = result.transportStream?.measurements.bitsPerSecond
        result.quality.last = last
        result.quality.duration = last - .zero
        result.notes = notes(reader)
        return result
    }

    private func notes(_ reader: TransportStreamReader) -> [String] {
        var notes: [String] = []
        if pace == nil {
            notes.append(
                "no clock: fewer than two clock references of a PID follow each other, so that nothing has a time")
        } else {
            notes.append("times are by the stream's own clock: what does not pass in time shows in captures only")
        }
        if jumps > 0, pace != nil {
            notes.append("the stream's clock began anew \(jumps) times: time goes on there at the pace before")
        }
        if reader.bytesBetween > 0 {
            notes.append(
                "\(reader.bytesBetween) bytes are of no packet; packets were out of step \(reader.resynchronizations) times"
            )
        }
        return notes
    }
}
