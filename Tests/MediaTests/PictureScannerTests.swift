import Testing
import Wire

@testable import Media

@Suite("Picture types in elementary streams")
struct PictureScannerTests {
    private func scan(_ type: StreamType, _ units: [[UInt8]]) throws -> [PictureScanner.Picture] {
        var scanner = try PictureScanner(type).orThrow()
        return units.map { scanner.scan($0.span.bytes) }
    }

    @Test(
        arguments: [
            // slice_type behind first_mb_in_slice 0: ue 0...9.
            ([0x41, 0b1_1_000000], FrameType.predicted), ([0x01, 0b1_010_0000], .bidirectional),
            ([0x61, 0b1_011_0000], .intra), ([0x41, 0b1_00100_00], .predicted), ([0x61, 0b1_00101_00], .intra),
            ([0x41, 0b1_00110_00], .predicted), ([0x01, 0b1_00111_00], .bidirectional),
            ([0x61, 0b1_0001000], .intra), ([0x65, 0x88], .intra), ([0x09, 0xf0], .unknown),
        ] as [([UInt8], FrameType)])
    func h264SliceTypes(unit: [UInt8], type: FrameType) throws {
        let delimited: [UInt8] = [0, 0, 0, 1, 0x09, 0x10, 0, 0, 1] + unit + [0xaa, 0xaa]
        #expect(try scan(.h264, [delimited]).map(\.type) == [type])
    }

    @Test func h264RandomAccessNeedsParameterSetsOrIDR() throws {
        let intra: [UInt8] = [0, 0, 1, 0x61, 0b1_011_0000]
        let pictures = try scan(.h264, [intra, [0, 0, 1, 0x67, 0x4d] + intra, [0, 0, 1, 0x65, 0x88]])
        #expect(pictures.map(\.isRandomAccess) == [false, true, true])
    }

    /// Bytes that x265 wrote: parameter set, then the beginnings of an IDR, a P, a B picture and a B picture of type 0.
    @Test func h265SliceTypes() throws {
        let parameterSet: [UInt8] = [0, 0, 1, 0x44, 0x01, 0xc1, 0x72, 0xb4, 0x62, 0x40]
        let pictures = try scan(
            .h265,
            [
                parameterSet + [0, 0, 1, 0x28, 0x01, 0xaf, 0x1d, 0x20, 0xbd],
                [0, 0, 1, 0x46, 0x01, 0x50, 0, 0, 0, 1, 0x02, 0x01, 0xd0, 0x29, 0x4b, 0xe1],
                [0, 0, 1, 0x02, 0x01, 0xe0, 0x64, 0x9d, 0x78], [0, 0, 1, 0x00, 0x01, 0xe0, 0x24, 0xf5, 0x5f],
            ])
        #expect(pictures.map(\.type) == [.intra, .predicted, .bidirectional, .bidirectional])
        #expect(pictures.map(\.isRandomAccess) == [true, false, false, false])
        // Without the parameter set the slice header cannot be read, but what an IDR is stands outside it.
        let blind = try scan(.h265, [[0, 0, 1, 0x28, 0x01, 0xaf, 0x1d], [0, 0, 1, 0x02, 0x01, 0xd0, 0x29]])
        #expect(blind.map(\.type) == [.intra, .unknown])
    }

    /// Bytes that FFmpeg wrote.
    @Test func mpeg2CodingTypes() throws {
        let pictures = try scan(
            .mpeg2Video,
            [
                [
                    0, 0, 1, 0xb3, 0x14, 0, 0xf0, 0x24, 0xff, 0, 0, 1, 0xb8, 0, 8, 0, 0x40, 0, 0, 1, 0, 0, 0x0f, 0xff,
                    0xf8,
                ],
                [0, 0, 1, 0x00, 0x00, 0xd7, 0xff, 0xfb, 0x80], [0, 0, 1, 0x00, 0x00, 0x5f, 0xff, 0xfb, 0xb8],
            ])
        #expect(pictures.map(\.type) == [.intra, .predicted, .bidirectional])
        #expect(pictures.map(\.isRandomAccess) == [true, false, false])
    }

    /// nal_ref_idc and slice type by hand; the recovery point's message is the one that the made video carries.
    @Test func h264References() throws {
        let set: [UInt8] = [0, 0, 1, 0x67, 0x4d]
        let (intra, predicted): ([UInt8], [UInt8]) = ([0, 0, 1, 0x61, 0b1_011_0000], [0, 0, 1, 0x41, 0b1_1_000000])
        func recovery(_ frames: UInt8) -> [UInt8] { [0, 0, 1, 0x06, 0x06, 0x01, frames, 0x80] }
        // User data before the recovery point's message, as x264 writes on its first picture.
        let userData: [UInt8] = [0, 0, 1, 0x06, 0x05, 0x03, 1, 2, 3, 0x06, 0x01, 0b1_1000000, 0x80]
        let references = try scan(
            .h264,
            [
                set + [0, 0, 1, 0x65, 0x88], [0, 0, 1, 0x65, 0x88], predicted, [0, 0, 1, 0x01, 0b1_010_0000],
                [0, 0, 1, 0x21, 0b1_010_0000], intra, set + intra, recovery(0b1_1000000) + intra, userData + intra,
                // ue(v) 011: 2.
                recovery(0b011_10000) + predicted,
            ]
        ).map(\.references)
        var bare = UnitReferences.intra(.instantaneous).restartingOrder
        bare.bringsParameters = false
        var point = UnitReferences.intra(.open)
        point.bringsParameters = false
        var gradual = UnitReferences.predicted
        gradual.recoveryCount = 2
        #expect(
            references == [
                .intra(.instantaneous).restartingOrder, bare, .predicted, .disposable, .predicted,
                UnitReferences(needs: .nothing, isReferred: true), .intra(.open), point, point, gradual,
            ])
    }

    @Test func h265References() throws {
        func slice(_ type: UInt8) -> [UInt8] { [0, 0, 1, type << 1, 0x01, 0xaf, 0x1d] }
        let set: [UInt8] = [0, 0, 1, 33 << 1, 0x01, 0]
        let references = try scan(
            .h265, [20, 21, 16, 1, 0, 8, 9, 6, 7].map { set + slice($0) }
        ).map { picture in
            var references = picture.references
            #expect(references.bringsParameters)
            if references.refresh == .none { references.bringsParameters = false }
            return references
        }
        #expect(
            references == [
                .intra(.instantaneous), .intra(.open), .intra(.broken), .predicted, .disposable, .leading,
                UnitReferences(needs: .across, isReferred: true), .disposable, .predicted,
            ])
    }

    @Test func mpeg2References() throws {
        let sequence: [UInt8] = [0, 0, 1, 0xb3, 0x14, 0, 0xf0]
        func group(_ flags: UInt8) -> [UInt8] { [0, 0, 1, 0xb8, 0, 8, 0, flags] }
        func picture(_ type: UInt8) -> [UInt8] { [0, 0, 1, 0, 0, type << 3, 0xff, 0xf8, 0, 0, 1, 1, 0x22] }
        let references = try scan(
            .mpeg2Video,
            [
                sequence + group(0x40) + picture(1), sequence + group(0) + picture(1),
                sequence + group(0x20) + picture(1), sequence + picture(1), picture(2), picture(3),
            ]
        ).map(\.references)
        #expect(
            references == [
                .intra(.instantaneous), .intra(.open), .intra(.broken), .intra(.open), .predicted, .disposable,
            ])
    }

    @Test func slicesAreFoundToTheirEnds() throws {
        let scanner = try PictureScanner(.h264).orThrow()
        let bytes: [UInt8] = [0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x41, 0x9a, 0x55, 0, 0, 1, 0x41, 0x66, 0x77]
        #expect(scanner.slices(in: bytes.span.bytes) == [5..<11, 11..<17])
        var beginning = try PictureScanner(.h264).orThrow()
        #expect(beginning.scan(bytes.span.bytes).beginning == bytes.count)
        #expect(beginning.scan((bytes + [UInt8](repeating: 0x55, count: 100)).span.bytes).beginning == 8 + 16)
    }

    @Test func emulationPreventionIsSteppedOver() {
        let bytes: [UInt8] = [0, 0, 3, 1, 0, 0, 3, 0, 0xff]
        var reader = BitReader(bytes.span.bytes, at: 0)
        #expect(reader.bits(24) == 1)
        #expect(reader.bits(16) == 0)
        var other = BitReader(bytes.span.bytes, at: 3)
        #expect(other.bits(32) == 0x0100_0000)
        #expect(other.bits(8) == 0xff)
        #expect(other.bits(1) == nil)
    }
}
