import Timebase
import Wire

/// Synthetic video: one picture a PES packet.
///
/// A packet is header, access unit delimiter, at an I picture parameter sets (and a recovery point where it is not
/// IDR), an SEI message filled with what the size asks for, and the slice.
struct H264Units: UnitSequence {
    private let pictures: [GroupOfPictures.Picture]
    private let trailing: Int
    private let isReordered: Bool
    private let grid: UnitGrid
    private let origin: Int64
    /// Pictures in all; nil is endless.
    private let pictureCount: Int64?
    private let streamID: UInt8
    private let key: DrawKey
    /// Filler, then the four preludes.
    private let store: ByteStore
    private let preludes: Preludes
    private var sizes: SizePlan

    // Where in the virtual sequence, which repeats the pattern from the start, and how many units came of it.
    private var position: Int64 = 0
    private var index: Int64 = 0
    private var referencesSinceRefresh: Int64 = 0
    private var refreshDisplay: Int64 = 0
    private var refreshParity = false

    /// Where each kind of picture finds what comes before its SEI message: delimiter and parameter sets.
    struct Preludes: Sendable {
        var refresh: Range<Int>
        var intra: Range<Int>
        var predicted: Range<Int>
        var bidirectional: Range<Int>

        func range(_ type: FrameType, isRefresh: Bool) -> Range<Int> {
            switch type {
            case .intra, .unknown: isRefresh ? refresh : intra
            case .predicted: predicted
            case .bidirectional: bidirectional
            }
        }
    }

    /// Start code, NAL unit header and payload type of the SEI message; its size bytes and identifier follow.
    static let messagePrefix: [UInt8] = [0, 0, 1, 0x06, 0x05]
    /// The longest slice of each type, a zero byte and emulation prevention included.
    private static let sliceLimits: [FrameType: Int] = [.intra: 120, .predicted: 20, .bidirectional: 20]

    /// - Returns: nil when the rate cannot hold the pictures at their least size.
    init?(_ video: SyntheticVideo, origin: Int64, duration: TimeSpan?, streamID: UInt8, key: DrawKey) {
        let structure = video.groupOfPictures
        let bytes = Self.storedBytes(video, key: key)
        store = ByteStore(bytes.all)
        let preludes = bytes.preludes
        self.preludes = preludes
        pictures = structure.pictures
        trailing = structure.trailing
        isReordered = structure.isReordered
        let grid = UnitGrid(video.frameRate)
        self.grid = grid
        self.origin = origin
        self.streamID = streamID
        self.key = key.named("phase")
        pictureCount = duration.map { grid.count(within: $0) }
        let minimums = structure.pictures.map { picture in
            Self.leastCount(preludes.range(picture.type, isRefresh: picture.isInstantaneousRefresh), picture.type)
        }
        let plan = SizePlan(
            SizePlan.Pattern(
                weights: structure.pictures.map { $0.type == .intra ? 5 : $0.type == .predicted ? 3 : 1 },
                minimums: minimums, lead: trailing), volume: .bitRate(video.bitRate), rate: video.frameRate,
            variation: video.sizeVariation, key: key)
        guard let plan, plan.isFeasible else { return nil }
        sizes = plan
    }

    private static func storedBytes(_ video: SyntheticVideo, key: DrawKey) -> (all: [UInt8], preludes: Preludes) {
        let structure = video.groupOfPictures
        var all = ByteStore.filler(key)
        func append(_ parts: [UInt8]) -> Range<Int> {
            all += parts
            return all.count - parts.count..<all.count
        }
        let parameterSets =
            H264Bitstream.sequenceParameterSet(
                rate: video.frameRate, bitRate: video.bitRate, isReordered: structure.isReordered)
            + H264Bitstream.pictureParameterSet
        let message = messagePrefix
        let intra = H264Bitstream.delimiter(.intra) + parameterSets
        let preludes = Preludes(
            refresh: append(intra + message),
            intra: append(intra + H264Bitstream.recoveryPoint + message),
            predicted: append(H264Bitstream.delimiter(.predicted) + message),
            bidirectional: append(H264Bitstream.delimiter(.bidirectional) + message))
        all += H264Bitstream.userDataIdentifier
        return (all, preludes)
    }

    /// Elementary stream bytes of a picture without filler: prelude, one size byte, identifier, its end, slice.
    private static func leastCount(_ prelude: Range<Int>, _ type: FrameType) -> Int {
        prelude.count + 1 + H264Bitstream.userDataIdentifier.count + 1 + (sliceLimits[type] ?? 0)
    }

    mutating func next() -> MediaUnit? {
        let cycle = Int64(pictures.count)
        while true {
            let within = Int(position % cycle)
            let group = position / cycle
            // What is still to come begins with the group's own pictures, or with the last B pictures of the one before.
            let earliest = group * cycle - Int64(within > trailing ? 0 : trailing)
            if let pictureCount, earliest >= pictureCount { return nil }
            let picture = pictures[within]
            let display = group * cycle + Int64(picture.display)
            let decodeIndex = position == 0 ? 0 : position - Int64(trailing)
            position += 1
            // The first group has no group before it; the last one may be cut.
            guard display >= 0 else { continue }
            let unit = makeUnit(picture, display: display, decodeIndex: decodeIndex)
            if let pictureCount, display >= pictureCount { continue }
            index += 1
            return unit
        }
    }

    private mutating func makeUnit(
        _ picture: GroupOfPictures.Picture, display: Int64, decodeIndex: Int64
    ) -> MediaUnit {
        let isRefresh = picture.type == .intra && (picture.isInstantaneousRefresh || decodeIndex == 0)
        if isRefresh {
            referencesSinceRefresh = 0
            refreshDisplay = display
            refreshParity.toggle()
        }
        var detail = Detail()
        detail.isRefresh = isRefresh
        detail.refreshParity = refreshParity
        detail.frameNumber = UInt8(truncatingIfNeeded: referencesSinceRefresh)
        detail.orderCount = UInt16(truncatingIfNeeded: 2 * (display - refreshDisplay))
        if picture.type != .bidirectional { referencesSinceRefresh += 1 }

        let presentation = origin + grid.tick(display)
        let decode = origin + grid.tick(isReordered ? decodeIndex - 1 : decodeIndex)
        let header = PESFraming.headerCount(presentation: presentation, decode: decode)
        let size = sizes.size(decodeIndex)
        let sliceCount = H264Bitstream.slice(detail.slice(picture.type), zeroByte: false).count
        let prelude = preludes.range(picture.type, isRefresh: isRefresh).count
        let identifier = H264Bitstream.userDataIdentifier.count
        // The message's size takes a byte for every 255; a size that cannot be hit gets a zero byte before the slice.
        let available = max(1, size - prelude - identifier - 1 - sliceCount)
        let fitting = Self.fillerCount(available: available)
        detail.needsZeroByte = fitting + Self.sizeByteCount(fitting) < available
        detail.fillerCount = UInt32(truncatingIfNeeded: fitting)
        return MediaUnit(
            index: index, presentation: presentation, decode: decode,
            duration: origin + grid.tick(display + 1) - presentation,
            byteCount: header + prelude + identifier + 1 + sliceCount + available,
            headerByteCount: header, frameType: picture.type, isRandomAccess: picture.type == .intra,
            hasTimestamp: true, references: isRefresh ? .intra(.instantaneous).restartingOrder : picture.references,
            locator: Int64(key.draw(decodeIndex) >> 48), detail: detail.word)
    }

    /// Size bytes of a user data message with `filler` bytes behind its identifier.
    static func sizeByteCount(_ filler: Int) -> Int { (16 + filler) / 255 + 1 }

    /// The most filler that fits in `available` bytes together with the size bytes.
    static func fillerCount(available: Int) -> Int {
        var filler = max(0, available - sizeByteCount(available))
        while filler + 1 + sizeByteCount(filler + 1) <= available { filler += 1 }
        return filler
    }

    func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        let detail = Detail(word: unit.detail)
        let prelude = preludes.range(unit.frameType, isRefresh: detail.isRefresh)
        let filler = Int(detail.fillerCount)
        // Nearly all pieces lie within the filler.
        let before =
            PESFraming.headerCount(presentation: unit.presentation, decode: unit.decode) + prelude.count
            + Self.sizeByteCount(filler) + H264Bitstream.userDataIdentifier.count
        if offset >= before, offset + bytes.count <= before + filler {
            store.copyFiller(phase: Int(unit.locator) + offset - before, into: bytes)
            return
        }
        var writer = PieceWriter(bytes, from: offset)
        PESFraming.putHeader(of: unit, streamID: streamID, to: &writer)
        writer.put(store.base + prelude.lowerBound, count: prelude.count)
        writer.fill(0xff, count: (16 + filler) / 255)
        writer.fill(UInt8((16 + filler) % 255), count: 1)
        let identifier = H264Bitstream.userDataIdentifier.count
        writer.put(store.base + (store.count - identifier), count: identifier)
        writer.putFiller(store, phase: Int(unit.locator), count: filler)
        guard !writer.isDone else { return }
        writer.fill(0x80, count: 1)
        let slice = H264Bitstream.slice(detail.slice(unit.frameType), zeroByte: detail.needsZeroByte)
        slice.withBytes { writer.put($0.baseAddress.unsafelyUnwrapped, count: $0.count) }
    }

    /// What makes a unit's bytes, in one word: filler count (from bit 32), order count (8), frame number (0), flags (24).
    struct Detail {
        var fillerCount: UInt32 = 0
        var orderCount: UInt16 = 0
        var frameNumber: UInt8 = 0
        var isRefresh = false
        var refreshParity = false
        var needsZeroByte = false

        init() {}

        init(word: UInt64) {
            fillerCount = UInt32(truncatingIfNeeded: word >> 32)
            orderCount = UInt16(truncatingIfNeeded: word >> 8)
            frameNumber = UInt8(truncatingIfNeeded: word)
            isRefresh = word & 1 << 24 != 0
            refreshParity = word & 1 << 25 != 0
            needsZeroByte = word & 1 << 26 != 0
        }

        var word: UInt64 {
            var word = UInt64(fillerCount) << 32 | UInt64(orderCount) << 8 | UInt64(frameNumber)
            if isRefresh { word |= 1 << 24 }
            if refreshParity { word |= 1 << 25 }
            if needsZeroByte { word |= 1 << 26 }
            return word
        }

        func slice(_ type: FrameType) -> H264Bitstream.Slice {
            H264Bitstream.Slice(
                type: type, isInstantaneousRefresh: isRefresh, refreshParity: refreshParity, frameNumber: frameNumber,
                orderCount: orderCount)
        }
    }
}
