import Timebase
import Wire

/// One PES packet of a file and where it stands on the program's timeline.
struct RecordedUnit: BitwiseCopyable, Sendable {
    /// Where its bytes begin in the substream's store.
    var offset: Int
    var byteCount: Int
    var headerByteCount: Int
    var presentation: Int64
    var decode: Int64
    var duration: Int64 = 0
    /// What has to be added to the timestamps in its bytes to get those on the timeline, modulo 2^33.
    var shift: Int64 = 0
    var frameType = FrameType.unknown
    var isRandomAccess: Bool
    var hasTimestamp: Bool
    var references = UnitReferences.independent
    /// See ``MediaUnit/beginningByteCount``.
    var beginningByteCount = 0
    var frameCount: UInt16 = 1
}

/// The index of a substream's units: like ``ByteStore`` it never changes, and is read through a pointer for speed.
///
/// `@unchecked Sendable`: written only in `init`.
final class UnitIndex: @unchecked Sendable {
    let base: UnsafePointer<RecordedUnit>
    let count: Int

    init(_ units: [RecordedUnit]) {
        let copy = UnsafeMutableBufferPointer<RecordedUnit>.allocate(capacity: max(1, units.count))
        _ = copy.initialize(fromContentsOf: units)
        base = UnsafePointer(copy.baseAddress.unsafelyUnwrapped)
        count = units.count
    }

    deinit { base.deallocate() }
}

/// The units of a file's substream, once or over and over.
struct RecordedUnits: UnitSequence {
    private let store: ByteStore
    private let units: UnitIndex
    private let type: StreamType
    /// What each repetition adds to the times; 0 for no repetition.
    private let loopLength: Int64
    /// The first presentation that is too late.
    private let end: Int64
    private var position = 0
    private var shift: Int64 = 0
    private var index: Int64 = 0

    init(_ store: ByteStore, _ units: UnitIndex, _ type: StreamType, loopLength: Int64, end: Int64) {
        self.store = store
        self.type = type
        self.units = units
        self.loopLength = loopLength
        self.end = end
    }

    /// Ends before the first unit, in decoding order, that is presented too late, even though pictures that would be
    /// in time may follow it: they may refer to it.
    mutating func next() -> MediaUnit? {
        if position == units.count {
            guard loopLength > 0, units.count > 0 else { return nil }
            position = 0
            shift += loopLength
        }
        let unit = units.base[position]
        guard unit.presentation + shift < end else { return nil }
        position += 1
        defer { index += 1 }
        return MediaUnit(
            index: index, presentation: unit.presentation + shift, decode: unit.decode + shift, duration: unit.duration,
            byteCount: unit.byteCount, headerByteCount: unit.headerByteCount, frameType: unit.frameType,
            isRandomAccess: unit.isRandomAccess,
            hasTimestamp: unit.hasTimestamp, references: unit.references,
            beginningByteCount: UInt32(clamping: unit.beginningByteCount), frameCount: unit.frameCount,
            locator: Int64(unit.offset),
            detail: UInt64(bitPattern: unit.shift + shift))
    }

    /// See ``SubstreamSource/parts(of:)``.
    func parts(of unit: MediaUnit) -> [Range<Int>] {
        let packet = UnsafeRawBufferPointer(start: store.base + Int(unit.locator), count: unit.byteCount)
        let data = packet.bytes.extracting(unit.headerByteCount..<unit.byteCount)
        let ranges = PictureScanner(type).map { $0.slices(in: data) } ?? AudioFrames(data).ranges
        return ranges.map { unit.headerByteCount + $0.lowerBound..<unit.headerByteCount + $0.upperBound }
    }

    /// The longest header of a PES packet: its fixed nine bytes and as many as one byte counts.
    private static let longestHeader = 264

    func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        var writer = PieceWriter(bytes, from: offset)
        var source = store.base + Int(unit.locator)
        var count = unit.byteCount
        if unit.detail != 0 && offset < 19 {
            // Timestamps are among the first 19 bytes; the whole header is needed to find them.
            let headerCount = min(count, Self.longestHeader)
            var header = [264 of UInt8](repeating: 0)
            withUnsafeMutableBytes(of: &header) { header in
                header.copyMemory(from: UnsafeRawBufferPointer(start: source, count: headerCount))
                let content = UnsafeMutableRawBufferPointer(rebasing: header[..<headerCount])
                PESHeader.rewriteTimestamps(in: content, by: Int64(bitPattern: unit.detail))
                if let base = content.baseAddress { writer.put(base, count: headerCount) }
            }
            source += headerCount
            count -= headerCount
        }
        writer.put(source, count: count)
    }
}
