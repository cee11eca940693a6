import Media
import Receiver
import Testing
import Timebase
import Wire

/// Datagrams made by hand, and a receiver to hand them to.
final class Bench {
    var receiver: MediaReceiver
    var pool = PacketPool(slotCapacity: 1_500)
    let hasRTP: Bool
    var released: [(number: UInt32, at: LocalInstant, depth: TimeSpan)] = []
    var discarded: [(number: UInt32, reason: ReceiverOutput.Discard)] = []
    var presented: [(lane: Int, presentation: Int64, at: LocalInstant)] = []
    var closed: [ReceivedUnit] = []
    private var sent: UInt32 = 0

    init(delay: TimeSpan = .milliseconds(100), late: LatePolicy = .drop, hasRTP: Bool = true) {
        receiver = MediaReceiver(ReceiverConfiguration(playoutDelay: delay, latePolicy: late, hasRTP: hasRTP))
        self.hasRTP = hasRTP
    }

    /// Serves everything due up to `now`, each at its time.
    func advance(to now: Int64) {
        while receiver.nextTimeout.nanoseconds <= now, receiver.nextTimeout != .distantFuture {
            let next = receiver.nextTimeout
            receiver.handleTimeout(&pool, at: next)
            drain(at: next)
        }
    }

    /// Hands over a datagram; its number is the count of those before it.
    func receive(
        _ transportPackets: [[UInt8]] = [], sequence: UInt16 = 0, timestamp: UInt32 = 0, at now: Int64,
        raw: [UInt8]? = nil
    ) {
        advance(to: now)
        var bytes = raw ?? []
        if raw == nil {
            if hasRTP {
                bytes = RTPHeader(payloadType: 33, sequenceNumber: sequence, timestamp: timestamp, ssrc: 7).packet(
                    payload: [])
            }
            bytes += transportPackets.joined()
        }
        let slot = pool.allocate()
        pool.mutableBytes(slot).copyBytes(from: bytes)
        let packet = Packet(
            time: .zero, sent: .zero, slot: slot, number: sent, length: UInt16(28 + bytes.count), flow: 0)
        sent += 1
        receiver.handle(packet, &pool, at: LocalInstant(nanoseconds: now))
        drain(at: LocalInstant(nanoseconds: now))
    }

    func finish() {
        advance(to: .max - 1)
        receiver.finish()
        drain(at: LocalInstant(nanoseconds: 0))
        #expect(pool.slotsInUse == 0)
    }

    private func drain(at now: LocalInstant) {
        while let output = receiver.pollOutput() {
            switch output {
            case .released(let packet, _, let depth):
                released.append((packet.number, now, depth))
                pool.release(packet.slot)
            case .discarded(let packet, let reason):
                discarded.append((packet.number, reason))
                pool.release(packet.slot)
            case .presented(let lane, let presentation): presented.append((lane, presentation, now))
            case .closed(let unit): closed.append(unit)
            case .forgotten: Issue.record("it has not crashed")
            }
        }
    }
}

/// Transport packets of a program with map PID 0x1000, made one by one.
struct StreamWriter {
    private var continuity: [UInt16: UInt8] = [:]

    mutating func next(_ pid: UInt16) -> UInt8 {
        let value = continuity[pid] ?? 0
        continuity[pid] = (value + 1) & 15
        return value
    }

    /// PAT and PMT.
    mutating func tables(_ pids: [UInt16], pcrPID: UInt16 = 0x100, version: UInt8 = 0, program: UInt16 = 1) -> [[UInt8]]
    {
        let association = ProgramAssociation(
            transportStreamID: 1, programs: [.init(programNumber: program, pid: 0x1000)])
        let map = ProgramMap(
            programNumber: program, version: version, pcrPID: pcrPID,
            streams: pids.map { .init(streamTypeCode: 0x1b, pid: $0) })
        return [table(association.section!, 0), table(map.section!, 0x1000)]
    }

    mutating func table(_ section: [UInt8], _ pid: UInt16) -> [UInt8] {
        var packet = [UInt8](repeating: 0, count: 188)
        let counter = next(pid)
        packet.withUnsafeMutableBytes {
            PSISection.writePacket(0, of: section, pid: pid, continuityCounter: counter, to: $0)
        }
        return packet
    }

    mutating func packet(
        _ pid: UInt16, _ payload: some Collection<UInt8>, starts: Bool = false, pcr: Int64? = nil,
        discontinuity: Bool = false
    ) -> [UInt8] {
        var packet = [UInt8](repeating: 0, count: 188)
        var fields = TransportPacketFields(
            pid: pid, continuityCounter: payload.isEmpty ? 0 : next(pid), payloadUnitStart: starts, pcr: pcr)
        fields.discontinuity = discontinuity
        let range = packet.withUnsafeMutableBytes { writeTransportPacket(fields, payloadCount: payload.count, to: $0) }
        packet.replaceSubrange(range, with: payload.prefix(range.count))
        return packet
    }

    /// A PES packet cut into transport packets; of unknown length where `isBounded` is false.
    mutating func unit(
        _ pid: UInt16, pts: Int64, dataCount: Int, isBounded: Bool = true, firstPayload: Int = 184
    ) -> [[UInt8]] {
        var header = [UInt8](repeating: 0, count: 19)
        let length = header.withUnsafeMutableBytes {
            PESHeader(streamID: 0xe0, pts: pts).write(to: $0, dataCount: isBounded ? dataCount : nil)
        }
        var rest = (header.prefix(length) + [UInt8](repeating: 0x55, count: dataCount))[...]
        var packets: [[UInt8]] = []
        while !rest.isEmpty {
            let count = min(rest.count, packets.isEmpty ? firstPayload : 184)
            packets.append(packet(pid, rest.prefix(count), starts: packets.isEmpty))
            rest = rest.dropFirst(count)
        }
        return packets
    }
}
