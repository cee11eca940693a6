import Media
import Wire

/// Transport streams made by hand, packet by packet.
struct FileBuilder {
    var packets: [[UInt8]] = []
    private var counters: [UInt16: UInt8] = [:]

    var bytes: [UInt8] { Array(packets.joined()) }

    /// One packet with its payload, stuffed in the adaptation field. Counts on from the PID's packet before.
    mutating func put(
        _ payload: ArraySlice<UInt8>, pid: UInt16, start: Bool, pcr: Int64? = nil, flags: UInt8 = 0,
        scrambled: Bool = false
    ) {
        let counter = counters[pid, default: 0]
        counters[pid] = (counter + 1) & 15
        var field: [UInt8] = []
        if let pcr {
            let base = pcr & 0x1_ffff_ffff
            field = [
                0x10 | flags, UInt8(base >> 25), UInt8(base >> 17 & 0xff), UInt8(base >> 9 & 0xff),
                UInt8(base >> 1 & 0xff), UInt8(base & 1) << 7 | 0x7e, 0,
            ]
        } else if flags != 0 {
            field = [flags]
        }
        let room = 184 - payload.count
        if room > 0 {
            if field.isEmpty && room > 1 { field = [0] }
            field += [UInt8](repeating: 0xff, count: room - 1 - field.count)
        }
        var packet: [UInt8] = [0x47, (start ? 0x40 : 0) | UInt8(pid >> 8), UInt8(pid & 0xff)]
        packet.append((scrambled ? 0x80 : 0) | (room > 0 ? 0x30 : 0x10) | counter)
        if room > 0 { packet += [UInt8(room - 1)] + field }
        packets.append(packet + payload)
    }

    /// A PES packet over as many packets as it takes; a PCR in 90 kHz goes before its first byte.
    mutating func put(pes: [UInt8], pid: UInt16, pcr: Int64? = nil, flags: UInt8 = 0) {
        var rest = pes[...]
        var isFirst = true
        while !rest.isEmpty {
            let capacity = isFirst ? (pcr != nil ? 176 : flags != 0 ? 182 : 184) : 184
            // A room of one byte is an adaptation field of length zero, which `put` makes.
            let part = rest.prefix(capacity)
            put(part, pid: pid, start: isFirst, pcr: isFirst ? pcr : nil, flags: isFirst ? flags : 0)
            rest = rest.dropFirst(part.count)
            isFirst = false
        }
    }

    mutating func put(section: [UInt8], pid: UInt16) {
        put(([0] + section + [UInt8](repeating: 0xff, count: 183 - section.count))[...], pid: pid, start: true)
    }

    /// One program on PID 0x100.
    mutating func putTables(
        _ streams: [(type: UInt8, pid: UInt16)], pcrPID: UInt16 = 0x101, version: UInt8 = 0, program: UInt16 = 1
    ) {
        put(section: TestMuxer.section(table: 0, identifier: 7, body: Self.pair(program) + [0xe1, 0x00]), pid: 0)
        putMap(streams, pcrPID: pcrPID, version: version, program: program)
    }

    mutating func putMap(
        _ streams: [(type: UInt8, pid: UInt16)], pcrPID: UInt16 = 0x101, version: UInt8 = 0, program: UInt16 = 1,
        pid: UInt16 = 0x100
    ) {
        var body = Self.pair(0xe000 | pcrPID) + [0xf0, 0]
        for stream in streams { body += [stream.type] + Self.pair(0xe000 | stream.pid) + [0xf0, 0] }
        put(section: TestMuxer.section(table: 2, identifier: program, body: body, version: version), pid: pid)
    }

    static func pair(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    /// A bounded PES packet: header, then `count` bytes that tell its number.
    static func pes(
        _ streamID: UInt8, pts: Int64?, dts: Int64? = nil, count: Int, content: UInt8 = 0, lengthError: Int = 0
    ) -> [UInt8] {
        let header = PESHeader(streamID: streamID, pts: pts, dts: dts)
        var bytes = [UInt8](repeating: 0, count: header.headerLength)
        _ = bytes.withUnsafeMutableBytes { header.write(to: $0, dataCount: count + lengthError) }
        return bytes + [UInt8](repeating: content, count: count)
    }

    /// Tables, then so many audio units of 400 bytes (three packets each) at 24 ms, with a PCR before each.
    static func audio(units: Int, from pts: Int64 = 100_000) -> FileBuilder {
        var file = FileBuilder()
        file.putTables([(3, 0x101)])
        for index in 0..<units {
            let time = pts + 2_160 * Int64(index)
            let wrapped = time & 0x1_ffff_ffff
            file.put(
                pes: pes(0xc0, pts: wrapped, count: 386, content: UInt8(index & 0xff)), pid: 0x101, pcr: time - 9_000)
        }
        return file
    }
}
