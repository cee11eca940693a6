import Media
import Timebase
import Wire

/// A multiplexer as simple as can be, to show the sources' bytes to other tools: whole units in order of decoding, PCR
/// before each unit of the PCR's substream, no rate.
struct TestMuxer {
    private(set) var bytes: [UInt8] = []
    private var counters: [UInt16: UInt8] = [:]

    /// Everything that the program's sources yield, up to `limit` units of each.
    static func mux(_ program: Program, limit: Int = .max) -> [UInt8] {
        var muxer = TestMuxer()
        muxer.putTables(of: program)
        var queue: [(substream: Int, unit: MediaUnit)] = []
        for index in program.substreams.indices {
            var source = program.source(index)
            var count = 0
            while count < limit, let unit = source.next() {
                queue.append((index, unit))
                count += 1
            }
        }
        queue.sort { ($0.unit.decode, $0.substream, $0.unit.index) < ($1.unit.decode, $1.substream, $1.unit.index) }
        for (index, unit) in queue {
            let substream = program.substreams[index]
            let content = packet(unit, of: program.source(index))
            let hasClock = substream.pid == program.pcrPID
            muxer.put(
                content, pid: substream.pid, pcr: hasClock ? (unit.decode - 63_000) * 300 : nil,
                randomAccess: unit.isRandomAccess)
        }
        return muxer.bytes
    }

    /// A whole PES packet in one call.
    static func packet(_ unit: MediaUnit, of source: SubstreamSource) -> [UInt8] {
        var content = [UInt8](repeating: 0xaa, count: unit.byteCount)
        content.withUnsafeMutableBytes { source.writer.write(unit, from: 0, into: $0) }
        return content
    }

    mutating func putTables(of program: Program) {
        putSection(
            table: 0, identifier: program.transportStreamID, pid: 0,
            body: Self.pair(program.programNumber) + Self.pair(0xe000 | program.pmtPID))
        var body = Self.pair(0xe000 | program.pcrPID)
        body += Self.pair(0xf000 | UInt16(program.programDescriptors.count)) + program.programDescriptors
        for substream in program.substreams {
            body += [substream.streamType] + Self.pair(0xe000 | substream.pid)
            body += Self.pair(0xf000 | UInt16(substream.descriptors.count)) + substream.descriptors
        }
        putSection(table: 2, identifier: program.programNumber, pid: program.pmtPID, body: body)
    }

    mutating func putSection(table: UInt8, identifier: UInt16, pid: UInt16, body: [UInt8], version: UInt8 = 0) {
        let section = Self.section(table: table, identifier: identifier, body: body, version: version)
        put([0] + section + [UInt8](repeating: 0xff, count: max(0, 183 - section.count)), pid: pid)
    }

    static func section(table: UInt8, identifier: UInt16, body: [UInt8], version: UInt8 = 0) -> [UInt8] {
        var section = [table] + pair(0xb000 | UInt16(body.count + 9)) + pair(identifier)
        section += [0xc1 | version << 1, 0, 0] + body
        var crc: UInt32 = 0xffff_ffff
        for byte in section {
            crc ^= UInt32(byte) << 24
            for _ in 0..<8 { crc = crc & 0x8000_0000 != 0 ? crc << 1 ^ 0x04c1_1db7 : crc << 1 }
        }
        return section + pair(UInt16(crc >> 16)) + pair(UInt16(crc & 0xffff))
    }

    mutating func put(_ content: [UInt8], pid: UInt16, pcr: Int64? = nil, randomAccess: Bool = false) {
        var sent = 0
        while sent < content.count {
            let isFirst = sent == 0
            let fields = TransportPacketFields(
                pid: pid, continuityCounter: counters[pid, default: 0], payloadUnitStart: isFirst,
                pcr: isFirst ? pcr : nil, randomAccess: isFirst && randomAccess)
            var packet = [UInt8](repeating: 0, count: 188)
            let range = packet.withUnsafeMutableBytes {
                writeTransportPacket(fields, payloadCount: content.count - sent, to: $0)
            }
            packet.replaceSubrange(range, with: content[sent..<sent + range.count])
            bytes += packet
            sent += range.count
            counters[pid] = (counters[pid, default: 0] + 1) & 15
        }
    }

    static func pair(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}
