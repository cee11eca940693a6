import Foundation
import Testing
import Timebase
import Wire

@testable import Capture

/// Captures made by hand.
struct CaptureBytes {
    var bytes: [UInt8] = []
    let isBigEndian: Bool

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: isBigEndian ? value.bigEndian : value.littleEndian) { bytes += $0 }
    }

    /// A classic capture of packets with times in its own fractions.
    static func pcap(
        magic: UInt32 = 0xa1b2_c3d4, isBigEndian: Bool = false, link: UInt16 = 1,
        _ packets: [(seconds: UInt32, fraction: UInt32, bytes: [UInt8])]
    ) -> [UInt8] {
        var file = CaptureBytes(isBigEndian: isBigEndian)
        file.put(magic)
        for value in [2, 4, 0, 0, 0, 0] as [UInt16] { file.put(value) }
        file.put(262_144 as UInt32)
        file.put(UInt32(link))
        for packet in packets {
            for value in [packet.seconds, packet.fraction, UInt32(packet.bytes.count), UInt32(packet.bytes.count)] {
                file.put(value)
            }
            if magic == 0xa1b2_cd34 { file.put(0 as UInt64) }
            file.bytes += packet.bytes
        }
        return file.bytes
    }

    mutating func block(_ type: UInt32, _ body: (inout CaptureBytes) -> Void) {
        var inner = CaptureBytes(isBigEndian: isBigEndian)
        body(&inner)
        inner.bytes += [UInt8](repeating: 0, count: (4 - inner.bytes.count % 4) % 4)
        put(type)
        put(UInt32(inner.bytes.count + 12))
        bytes += inner.bytes
        put(UInt32(inner.bytes.count + 12))
    }

    mutating func section() {
        block(0x0a0d_0d0a) {
            $0.put(0x1a2b_3c4d as UInt32)
            for value in [1, 0, 0xffff, 0xffff, 0xffff, 0xffff] as [UInt16] { $0.put(value) }
        }
    }

    mutating func interface(link: UInt16, resolution: UInt8? = nil, offset: Int64? = nil) {
        block(1) {
            for value in [link, 0, 0, 0] as [UInt16] { $0.put(value) }
            if let resolution {
                $0.put(9 as UInt16)
                $0.put(1 as UInt16)
                $0.bytes += [resolution, 0, 0, 0]
            }
            if let offset {
                $0.put(14 as UInt16)
                $0.put(8 as UInt16)
                $0.put(offset)
            }
            $0.put(0 as UInt32)
        }
    }

    mutating func packet(interface: UInt32, units: UInt64, _ packet: [UInt8], type: UInt32 = 6) {
        block(type) {
            if type == 6 { $0.put(interface) } else { for half in [UInt16(interface), 0] { $0.put(half) } }
            $0.put(UInt32(units >> 32))
            $0.put(UInt32(truncatingIfNeeded: units))
            for _ in 0..<2 { $0.put(UInt32(packet.count)) }
            $0.bytes += packet
        }
    }
}

/// A UDP datagram in an Ethernet frame.
func frame(_ payload: [UInt8], from source: Endpoint = sender, to destination: Endpoint = receiver) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: UDPFrame.headerLength + payload.count)
    bytes.withUnsafeMutableBytes { buffer in
        _ = payload.withUnsafeBytes {
            UDPFrame(source: source, destination: destination).write(to: buffer, payload: $0)
        }
    }
    return bytes
}

/// What reading a file gives: each datagram's time and payload, and what was skipped.
struct ReadCapture {
    var datagrams: [(nanoseconds: Int64, payload: [UInt8])] = []
    var input: CaptureInput
    var skipped: [SkipReason: Int64] { Dictionary(uniqueKeysWithValues: input.skipped.map { ($0.reason, $0.count) }) }

    init(_ bytes: [UInt8], in folder: TemporaryFolder) throws {
        let path = folder.path + "/\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let reader = DatagramReader(try CaptureReader(path: path))
        while try reader.next() {
            datagrams.append((reader.datagram.instant.nanoseconds, reader.withPayload { $0.copied }))
        }
        input = reader.reader.input
    }
}

@Suite("Reading captures")
struct CaptureReaderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "Classic pcap of every magic number and byte order",
        arguments: [
            (UInt32(0xa1b2_c3d4), Int64(1000)), (0xa1b2_3c4d, 1), (0xa1b2_cd34, 1000),
        ], [false, true])
    func classic(format: (magic: UInt32, unit: Int64), isBigEndian: Bool) throws {
        let packets: [(UInt32, UInt32, [UInt8])] = [(1_577_836_800, 999_999, frame([1])), (.max, 0, frame([2, 3]))]
        let file = CaptureBytes.pcap(magic: format.magic, isBigEndian: isBigEndian, packets)
        let capture = try ReadCapture(file, in: folder)
        #expect(capture.datagrams.map(\.payload) == [[1], [2, 3]])
        #expect(
            capture.datagrams.map(\.nanoseconds) == [
                1_577_836_800_000_000_000 + 999_999 * format.unit, Int64(UInt32.max) * 1_000_000_000,
            ])
        #expect(capture.skipped.isEmpty)
        #expect(capture.input.packets == 2 && capture.input.bytes == 87 && capture.input.format == "pcap")
    }

    /// Two interfaces of different link types and resolutions, packets of both kinds, blocks to pass over.
    private func mixed(isBigEndian: Bool) -> [UInt8] {
        var file = CaptureBytes(isBigEndian: isBigEndian)
        file.section()
        file.interface(link: 1, resolution: 9)
        file.interface(link: 101, resolution: 0x8a, offset: 1000)
        file.packet(interface: 0, units: 1_500_000_000_123_456_789, frame([1]))
        file.block(4) { $0.put(0 as UInt32) }
        file.packet(interface: 1, units: 1536, Array(frame([2])[14...]))
        file.block(0x0bad) { $0.bytes += [1, 2, 3] }
        file.block(3) { $0.put(1 as UInt32) }
        file.packet(interface: 7, units: 0, frame([9]))
        file.section()
        file.interface(link: 1)
        file.packet(interface: 0, units: 2_000_000, frame([3]), type: 2)
        return file.bytes
    }

    @Test("pcapng: what each interface says it dropped, the last word of each counting", arguments: [false, true])
    func dropped(isBigEndian: Bool) throws {
        let folder = try TemporaryFolder()
        var file = CaptureBytes(isBigEndian: isBigEndian)
        func statistics(_ interface: UInt32, _ options: [(code: UInt16, value: UInt64)]) {
            file.block(5) {
                $0.put(interface)
                $0.put(0 as UInt64)
                for option in options {
                    $0.put(option.code)
                    $0.put(8 as UInt16)
                    $0.put(option.value)
                }
                $0.put(0 as UInt32)
            }
        }
        file.section()
        file.interface(link: 1)
        file.interface(link: 1)
        file.packet(interface: 0, units: 1, frame([1]))
        #expect(try ReadCapture(file.bytes, in: folder).input.dropped == nil)
        // isb_ifrecv alone says nothing of drops.
        statistics(0, [(4, 77)])
        #expect(try ReadCapture(file.bytes, in: folder).input.dropped == nil)
        statistics(0, [(5, 3), (7, 4)])
        statistics(1, [(7, 10)])
        statistics(0, [(5, 3), (7, 6)])
        #expect(try ReadCapture(file.bytes, in: folder).input.dropped == 19)
        file.section()
        file.interface(link: 1)
        statistics(0, [(5, 100)])
        // An interface that is not there, and a block too short.
        statistics(9, [(5, 1)])
        file.block(5) { $0.put(0 as UInt32) }
        let read = try ReadCapture(file.bytes, in: folder)
        #expect(read.input.dropped == 119 && read.skipped == [.badBlock: 2])
    }

    @Test("pcapng: several sections, interfaces, link types and resolutions", arguments: [false, true])
    func nextGeneration(isBigEndian: Bool) throws {
        let capture = try ReadCapture(mixed(isBigEndian: isBigEndian), in: folder)
        #expect(capture.datagrams.map(\.payload) == [[1], [2], [3]])
        // Nanoseconds; 1536 units of 2^-10 s and an offset of 1000 s; microseconds by default.
        #expect(
            capture.datagrams.map(\.nanoseconds) == [1_500_000_000_123_456_789, 1_001_500_000_000, 2_000_000_000])
        #expect(capture.skipped == [.noTimestamp: 1, .badBlock: 1])
        #expect(capture.input.linkTypes == [.ethernet, .raw])
    }

    @Test("Every prefix is read as far as it goes, and says that it ends early", arguments: [false, true])
    func prefixes(isNextGeneration: Bool) throws {
        let whole =
            isNextGeneration
            ? mixed(isBigEndian: false)
            : CaptureBytes.pcap([(1, 2, frame([1])), (3, 4, frame([2])), (5, 6, frame([3]))])
        var most = 0
        for count in 4..<whole.count {
            let capture = try ReadCapture(Array(whole[..<count]), in: folder)
            #expect(capture.datagrams.count >= most)
            most = capture.datagrams.count
            #expect(capture.datagrams.map(\.payload) == [[1], [2], [3]].prefix(most).map { $0 })
        }
        #expect(most == 2)
        let cut = try ReadCapture(Array(whole.dropLast()), in: folder)
        #expect(cut.skipped[.truncatedFile] == 1)
        for count in 0..<4 {
            #expect(throws: NotACapture.self) { try ReadCapture(Array(whole[..<count]), in: folder) }
        }
    }

    @Test("Lengths of 4 GB end the reading, in no more memory than usual")
    func hugeLengths() throws {
        var classic = CaptureBytes.pcap([(1, 2, frame([1])), (3, 4, frame([2]))])
        let second = 24 + 16 + 43
        classic.replaceSubrange(second + 8..<second + 12, with: [0xff, 0xff, 0xff, 0xff])
        let first = try ReadCapture(classic, in: folder)
        #expect(first.datagrams.count == 1 && first.skipped == [.badLength: 1])

        var blocks = CaptureBytes(isBigEndian: false)
        blocks.section()
        blocks.interface(link: 1)
        blocks.packet(interface: 0, units: 1, frame([1]))
        blocks.put(0x1234 as UInt32)
        blocks.put(0xffff_fffc as UInt32)
        blocks.put(0 as UInt64)
        let next = try ReadCapture(blocks.bytes, in: folder)
        #expect(next.datagrams.count == 1 && next.skipped == [.truncatedFile: 1])
    }

    @Test("Damaged and random bytes never trap")
    func hostile() throws {
        let key = DrawKey(seed: 4)
        var index: Int64 = 0
        func number(_ limit: Int) -> Int {
            index += 1
            return Int(key.draw(index) % UInt64(limit))
        }
        let golden = [
            mixed(isBigEndian: false), mixed(isBigEndian: true),
            CaptureBytes.pcap([(1, 2, frame([1])), (3, 4, frame([2]))]),
        ]
        for _ in 0..<600 {
            var bytes = golden[number(3)]
            for _ in 0...number(6) { bytes[4 + number(bytes.count - 4)] = UInt8(number(256)) }
            let capture = try ReadCapture(bytes, in: folder)
            #expect(capture.datagrams.count <= 4)
        }
    }

    @Test("A directory, a file that is not there and one that is no capture are told apart")
    func wrongFiles() throws {
        #expect(throws: SystemError(operation: "read", path: folder.path, code: EISDIR)) {
            try CaptureReader(path: folder.path)
        }
        #expect(throws: SystemError(operation: "read", path: "/no/such/file", code: ENOENT)) {
            try CaptureReader(path: "/no/such/file")
        }
        #expect(throws: NotACapture.self) { try CaptureReader(path: "/dev/zero") }
        #expect(throws: NotACapture.self) { try CaptureReader(path: "/dev/null") }
    }

    /// gzip with stored blocks: RFC 1952 and RFC 1951 §3.2.4.
    private func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var crc: UInt32 = .max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        var file = CaptureBytes(isBigEndian: false)
        file.bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1]
        file.put(UInt16(bytes.count))
        file.put(~UInt16(bytes.count))
        file.bytes += bytes
        file.put(~crc)
        file.put(UInt32(bytes.count))
        return file.bytes
    }

    @Test("Compressed files are unpacked, also of several members; damage is said")
    func compressed() throws {
        let file = CaptureBytes.pcap([(1, 2, frame([1])), (3, 4, frame([2]))])
        let packed = gzip(Array(file[..<50])) + gzip(Array(file[50...]))
        let whole = try ReadCapture(packed, in: folder)
        #expect(whole.datagrams.map(\.payload) == [[1], [2]] && whole.skipped.isEmpty)
        let cut = try ReadCapture(Array(packed.dropLast(30)), in: folder)
        #expect(cut.datagrams.map(\.payload) == [[1]])
        #expect(cut.skipped == [.truncatedFile: 1, .damagedCompression: 1])
    }

    /// The fragments of a datagram: each with so many units of eight bytes.
    private func fragments(_ payload: [UInt8], units: Int, identification: UInt16 = 9) -> [[UInt8]] {
        let whole = Array(frame(payload)[34...])
        return stride(from: 0, to: whole.count, by: units * 8).map { start in
            let piece = whole[start..<min(start + units * 8, whole.count)]
            var bytes = Array(frame(payload)[..<34])
            let flags = UInt16(start / 8) | (start + units * 8 < whole.count ? 0x2000 : 0)
            let length = UInt16(20 + piece.count)
            for (offset, value) in [(16, length), (18, identification), (20, flags)] {
                bytes[offset] = UInt8(value >> 8)
                bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
            }
            return bytes + piece
        }
    }

    @Test("Fragments are put together in any order; what stays incomplete is counted")
    func fragments() throws {
        let payload = (0..<3000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let pieces = fragments(payload, units: 100)
        try #require(pieces.count == 4)
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 0, 3, 1]] {
            let capture = try ReadCapture(CaptureBytes.pcap(order.map { (1, 0, pieces[$0]) }), in: folder)
            #expect(capture.datagrams.map(\.payload) == [payload], "\(order)")
            #expect(capture.skipped.isEmpty)
        }
        let lacking = try ReadCapture(CaptureBytes.pcap([0, 2, 3].map { (1, 0, pieces[$0]) }), in: folder)
        #expect(lacking.datagrams.isEmpty && lacking.skipped == [.fragmentIncomplete: 3])
        // The third contradicts the second about a byte that both have.
        var wrong = pieces[1]
        wrong[40] ^= 1
        let torn = try ReadCapture(CaptureBytes.pcap([pieces[0], pieces[1], wrong].map { (1, 0, $0) }), in: folder)
        #expect(torn.datagrams.isEmpty && torn.skipped == [.fragmentIncomplete: 3])
        // A hundred datagrams that never complete: memory holds 64 of them.
        let flood = (0..<100).map { fragments(payload, units: 100, identification: $0)[0] }
        let packets = flood.filter { $0 != pieces[0] } + pieces
        let flooded = try ReadCapture(CaptureBytes.pcap(packets.map { (1, 0, $0) }), in: folder)
        #expect(flooded.datagrams.count == 1 && flooded.skipped == [.fragmentIncomplete: 99])
    }

    @Test("A filter lets pass what it says, whatever the link type")
    func filter() throws {
        let path = folder.path + "/filtered"
        try Data(mixed(isBigEndian: false)).write(to: URL(fileURLWithPath: path))
        for (expression, expected) in [("udp port 5004", 3), ("src host 10.0.0.1", 3), ("tcp", 0), ("udp port 1", 0)] {
            let reader = DatagramReader(try CaptureReader(path: path), filter: try CaptureFilter(expression))
            var count = 0
            while try reader.next() { count += 1 }
            #expect(count == expected, "\(expression)")
        }
        #expect(throws: CaptureFilter.Mistake.self) { try CaptureFilter("udp prot 5") }
    }

    @Test("Several captures come out in the order of their times")
    func merged() throws {
        var readers: [DatagramReader] = []
        for (index, seconds) in [[1, 4, 6], [2, 4, 5], []].enumerated() {
            let path = folder.path + "/m\(index)"
            let packets = seconds.map { (UInt32($0), UInt32(0), frame([UInt8(10 * index + $0)])) }
            try Data(CaptureBytes.pcap(packets)).write(to: URL(fileURLWithPath: path))
            readers.append(DatagramReader(try CaptureReader(path: path)))
        }
        let merger = try DatagramMerger(readers)
        var payloads: [UInt8] = []
        while let reader = try merger.next() { payloads += reader.withPayload { $0.copied } }
        #expect(payloads == [1, 12, 4, 14, 15, 6])
    }

    @Test("What the writer writes comes back", arguments: [0, 1, 1316, 65_507])
    func roundTrip(count: Int) throws {
        let path = folder.path + "/w\(count).pcap"
        let writer = try CaptureWriter(path: path)
        let payload = [UInt8](repeating: 7, count: count)
        try writer.write(UDPFrame(source: sender, destination: receiver), payload, at: Instant(nanoseconds: 1))
        try writer.close()
        let capture = try ReadCapture(try folder.bytes("w\(count).pcap"), in: folder)
        #expect(capture.datagrams.map(\.payload) == [payload])
        #expect(capture.datagrams.map(\.nanoseconds) == [emulatedEpochUnixSeconds * 1_000_000_000 + 1])
    }
}
