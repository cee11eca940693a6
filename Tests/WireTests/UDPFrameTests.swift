import Testing
@testable import Wire

@Suite("Internet checksum (RFC 1071)")
struct InternetChecksumTests {
    func checksum(_ bytes: [UInt8]) -> UInt16 {
        var checksum = InternetChecksum()
        bytes.withUnsafeBytes { checksum.add($0) }
        return checksum.checksum
    }

    @Test func theExampleOfTheRFCComesOut() {
        // §3: the sum of these is ddf2.
        #expect(checksum(hex("00 01 f2 03 f4 f5 f6 f7")) == ~0xddf2)
    }

    @Test func itIsTheSumOf16BitWordsAtEveryLength() {
        var random = RandomBytes("checksum")
        for count in 0...200 {
            let bytes = count % 3 == 0 ? [UInt8](repeating: 0xff, count: count) : random.bytes(count)
            var sum = 0
            for (index, byte) in bytes.enumerated() { sum += index % 2 == 0 ? Int(byte) << 8 : Int(byte) }
            while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
            #expect(checksum(bytes) == ~UInt16(sum))
        }
    }

    @Test func numbersCountAsTheirBytes() {
        var checksum = InternetChecksum()
        checksum.add(0xdead_beef as UInt32)
        checksum.add(0x0102 as UInt16)
        #expect(checksum.checksum == self.checksum(hex("de ad be ef 01 02")))
    }
}

@Suite("Ethernet, IPv4 and UDP (RFC 791, RFC 768)")
struct UDPFrameTests {
    /// Worked out by hand, checksums with another program.
    static let golden = hex(
        """
        01 00 5e 01 02 03 02 00 0a 00 00 01 08 00
        45 88 00 21 12 34 40 00 40 11 2c 8b 0a 00 00 01 ef 81 02 03
        13 8c 13 8e 00 0d 99 62 68 65 6c 6c 6f
        """)
    static let header = UDPFrame(
        source: Endpoint(address: IPv4Address(10, 0, 0, 1), port: 5004),
        destination: Endpoint(address: IPv4Address(239, 129, 2, 3), port: 5006), differentiatedServices: 34,
        identification: 0x1234)

    func frame(_ header: UDPFrame, _ payload: [UInt8]) -> [UInt8] {
        written(UDPFrame.headerLength + payload.count) { bytes in
            payload.withUnsafeBytes { #expect(header.write(to: bytes, payload: $0) == bytes.count) }
        }
    }

    func parsed(_ bytes: [UInt8]) throws(ParseError) -> UDPFrame { try UDPFrame(parsing: bytes.span.bytes) }

    @Test func aFrameIsWrittenWithRightChecksums() {
        #expect(frame(Self.header, Array("hello".utf8)) == Self.golden)
    }

    @Test func aFrameIsRead() throws {
        // Two bytes of Ethernet's filling do not belong to it.
        let read = try parsed(Self.golden + [0, 0])
        #expect(read.source == Self.header.source && read.destination == Self.header.destination)
        #expect(read.differentiatedServices == 34 && read.congestionNotification == 0)
        #expect(read.identification == 0x1234 && read.timeToLive == 64)
        #expect(read.payloadRange == 42..<47)
    }

    @Test func aChecksumThatComesOutZeroIsSentAsAllOnes() throws {
        let header = UDPFrame(
            source: Self.header.source, destination: Endpoint(address: IPv4Address(239, 129, 2, 3), port: 5006))
        let bytes = frame(header, [0xdd, 0x3a])
        #expect(bytes[40...41] == [0xff, 0xff])
        #expect(try parsed(bytes).payloadCount == 2)
    }

    @Test func framesOfEveryLengthComeBack() throws {
        var random = RandomBytes("udp")
        for count in Array(0...64) + [1_316, 1_472, 65_507] {
            let payload = random.bytes(count)
            let bytes = frame(Self.header, payload)
            #expect(Array(bytes[try parsed(bytes).payloadRange]) == payload)
        }
    }

    @Test func aFrameCutShortIsTruncatedAtEveryLength() {
        for count in 0..<Self.golden.count {
            #expect(throws: ParseError.truncated) { try parsed(Array(Self.golden.prefix(count))) }
        }
    }

    @Test func everyFlippedBitOfIPAndUDPShows() {
        for index in 14..<Self.golden.count {
            for bit in 0..<8 {
                var bytes = Self.golden
                bytes[index] ^= 1 << bit
                #expect(throws: ParseError.self) { try parsed(bytes) }
            }
        }
    }

    @Test func withoutUDPChecksumNothingIsChecked() throws {
        var bytes = Self.golden
        bytes[40] = 0
        bytes[41] = 0
        bytes[46] = 0
        #expect(try parsed(bytes).payloadCount == 5)
    }

    @Test func otherPacketsAreNotTakenForUDP() {
        // An ethertype, a protocol and a fragment: the last two with the header's checksum made right again.
        for (changes, error) in [
            ([(13, 0xdd)], .notRecognized), ([(23, 6), (25, 0x96)], .notRecognized),
            ([(20, 0x60), (24, 0x0c)], .notRecognized), ([(14, 0x65)], .unsupportedVersion),
            ([(14, 0x44)], .badLength), ([(24, 0)], .badChecksum),
        ] as [([(Int, UInt8)], ParseError)] {
            var bytes = Self.golden
            for (index, value) in changes { bytes[index] = value }
            #expect(throws: error) { try parsed(bytes) }
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = RandomBytes("udp noise")
        for _ in 0..<20_000 {
            var bytes = random.damaged(Self.golden)
            // The lengths are the fields with power to do harm; let the header's checksum not hide them.
            if bytes.count >= 34 {
                bytes[24] = 0
                bytes[25] = 0
                var checksum = InternetChecksum()
                bytes[14..<34].withUnsafeBytes { checksum.add($0) }
                bytes[24] = UInt8(checksum.checksum >> 8)
                bytes[25] = UInt8(checksum.checksum & 255)
            }
            if let read = try? parsed(bytes) { #expect(read.payloadRange.upperBound <= bytes.count) }
        }
    }
}

@Suite("Addresses")
struct AddressTests {
    @Test func textIsReadAndWritten() {
        #expect(IPv4Address("10.0.1.255") == IPv4Address(10, 0, 1, 255))
        #expect(IPv4Address(224, 2, 127, 254).description == "224.2.127.254")
        for text in ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3", "+1.2.3.4", "1.2.3.4 ", "a.b.c.d"] {
            #expect(IPv4Address(text) == nil)
        }
    }

    @Test func groupsMapToEthernetByTheirLow23Bits() {
        #expect(MACAddress(for: IPv4Address(224, 2, 127, 254)).rawValue == 0x0100_5e02_7ffe)
        #expect(MACAddress(for: IPv4Address(239, 255, 255, 255)).rawValue == 0x0100_5e7f_ffff)
        #expect(MACAddress(for: IPv4Address(10, 0, 1, 1)).rawValue == 0x0200_0a00_0101)
    }
}
