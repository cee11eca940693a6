import Testing
@testable import Wire

@Suite("Transport packets (ISO/IEC 13818-1 §2.4.3.2)")
struct TransportPacketTests {
    /// The first packet of a video PID as FFmpeg's multiplexer wrote it; tshark reads its PCR as 0x01206420.
    static let ffmpeg: [UInt8] =
        hex("47 41 00 30 07 50 00 00 7b 0c 7e 00 00 00 01 e0 00 00 80 c0 0a 31 00 07 f4 81 11 00 07 d8 61 00 00 01 b3")
        + [UInt8](repeating: 0x55, count: 153)

    func parsed(_ bytes: [UInt8], at offset: Int = 0) -> TransportPacketHeader? {
        TransportPacketHeader(bytes.span.bytes, at: offset)
    }

    @Test func aPacketFromAnotherMultiplexerIsRead() throws {
        let header = try #require(parsed(Self.ffmpeg))
        #expect(header.pid == 0x100)
        #expect(header.payloadUnitStart && header.hasPayload && header.hasAdaptationField)
        #expect(!header.transportError && !header.transportPriority && header.scrambling == 0)
        #expect(header.continuityCounter == 0)
        #expect(header.randomAccess && !header.discontinuityIndicator && !header.elementaryStreamPriority)
        #expect(header.payloadOffset == 12 && header.payloadCount == 176)
        #expect(header.pcr(Self.ffmpeg.span.bytes, at: 0) == 0x0120_6420)
        #expect(!header.isNull)
    }

    @Test func everyHeaderFieldIsWhereTheStandardPutsIt() throws {
        var bytes = [UInt8](repeating: 0, count: 376)
        bytes.replaceSubrange(188..<194, with: hex("47 bf fe fb 01 a0"))
        let header = try #require(parsed(bytes, at: 188))
        #expect(header.transportError && !header.payloadUnitStart && header.transportPriority)
        #expect(header.pid == 0x1ffe && header.scrambling == 3 && header.continuityCounter == 11)
        #expect(header.discontinuityIndicator && !header.randomAccess && header.elementaryStreamPriority)
        #expect(header.payloadOffset == 6 && header.pcr(bytes.span.bytes, at: 188) == nil)
        bytes[191] = 0x2b
        let alone = try #require(parsed(bytes, at: 188))
        #expect(!alone.hasPayload && alone.payloadOffset == 188 && alone.payloadCount == 0)
    }

    @Test func whatIsNotAPacketIsRefused() {
        var bytes = Self.ffmpeg
        for count in 0..<188 { #expect(parsed(Array(bytes.prefix(count))) == nil) }
        #expect(parsed(bytes, at: 1) == nil)
        #expect(parsed(bytes, at: -1) == nil)
        #expect(parsed(bytes, at: .max) == nil)
        #expect(parsed(bytes, at: .min) == nil)
        bytes[4] = 183
        #expect(parsed(bytes)?.payloadCount == 0)
        bytes[4] = 184
        #expect(parsed(bytes) == nil)
        bytes[4] = 7
        bytes[0] = 0x46
        #expect(parsed(bytes) == nil)
    }

    @Test func anAdaptationFieldTooShortForItsPCRHasNone() throws {
        var bytes = Self.ffmpeg
        bytes[4] = 6
        let header = try #require(parsed(bytes))
        #expect(!header.hasPCR && header.pcr(bytes.span.bytes, at: 0) == nil && header.randomAccess)
        bytes[4] = 0
        #expect(parsed(bytes)?.randomAccess == false)
    }

    @Test func randomBytesNeverTrap() {
        var random = RandomBytes("transport packet")
        var read = 0
        for _ in 0..<20_000 {
            var bytes = random.bytes(188)
            bytes[0] = 0x47
            guard let header = parsed(bytes) else { continue }
            read += 1
            #expect((4...188).contains(header.payloadOffset))
            if let pcr = header.pcr(bytes.span.bytes, at: 0) { #expect((0..<(300 << 33) + 212).contains(pcr)) }
        }
        // Half have no adaptation field; of the others 184 of 256 lengths fit.
        #expect((16_500...17_700).contains(read))
    }

    @Test func aWrittenPacketHasTheBytesOfTheStandard() {
        let fields = TransportPacketFields(
            pid: 0x100, continuityCounter: 0, payloadUnitStart: true, pcr: 0x0120_6420, randomAccess: true)
        let bytes = written(188) { #expect(writeTransportPacket(fields, payloadCount: 500, to: $0) == 12..<188) }
        #expect(bytes.prefix(12) == Self.ffmpeg.prefix(12))
        #expect(bytes.suffix(176).allSatisfy { $0 == 0xaa })
    }

    @Test(arguments: [nil, 0, 299, 300, 12_345_678_901, (300 << 33) - 1] as [Int64?], [false, true])
    func everyPayloadCountIsStuffedToTheEnd(pcr: Int64?, randomAccess: Bool) throws {
        let fields = TransportPacketFields(
            pid: 0x1abc, continuityCounter: 9, payloadUnitStart: true, pcr: pcr, randomAccess: randomAccess)
        #expect(fields.payloadCapacity == (pcr != nil ? 176 : randomAccess ? 182 : 184))
        for count in 0...190 {
            var range = 0..<0
            let bytes = written(188) { range = writeTransportPacket(fields, payloadCount: count, to: $0) }
            let header = try #require(parsed(bytes))
            #expect(range == header.payloadOffset..<188)
            #expect(range.count == min(count, fields.payloadCapacity))
            #expect(header.pid == 0x1abc && header.continuityCounter == 9 && header.payloadUnitStart)
            #expect(header.hasPayload == (count > 0))
            #expect(header.pcr(bytes.span.bytes, at: 0) == pcr)
            #expect(header.randomAccess == randomAccess && !header.discontinuityIndicator)
            let stuffing = min(4 + max(2, fields.adaptationFieldCount), range.lowerBound)..<range.lowerBound
            #expect(bytes[stuffing].allSatisfy { $0 == 0xff })
            #expect(bytes[range].allSatisfy { $0 == 0xaa })
        }
    }

    @Test func aPacketOfOnlyAClockReferenceHasNoPayload() throws {
        var fields = TransportPacketFields(pid: 0x100, continuityCounter: 3, pcr: -1)
        fields.discontinuity = true
        let bytes = written(188) { #expect(writeTransportPacket(fields, payloadCount: 0, to: $0) == 188..<188) }
        // 2^33·300 - 1: base all ones, extension 299.
        #expect(bytes == hex("47 01 00 23 b7 90 ff ff ff ff ff 2b") + [UInt8](repeating: 0xff, count: 176))
    }

    @Test func aNullPacketIsThatOfTheStandard() {
        let bytes = written(190) { TransportPacket.writeNull(to: $0) }
        #expect(bytes == hex("47 1f ff 10") + [UInt8](repeating: 0xff, count: 184) + hex("aa aa"))
        #expect(parsed(bytes)?.isNull == true)
    }
}
