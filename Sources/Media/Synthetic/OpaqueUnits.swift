import Timebase

/// Units of random bytes at a constant rate.
struct OpaqueUnits: UnitSequence {
    private let grid: UnitGrid
    private let origin: Int64
    private let unitCount: Int64?
    private let streamID: UInt8
    private let store: ByteStore
    private let key: DrawKey
    private var sizes: SizePlan
    private var index: Int64 = 0

    /// Nil when the rate leaves less than a byte for a unit, or more than can be counted.
    init?(_ opaque: SyntheticOpaque, origin: Int64, duration: TimeSpan?, streamID: UInt8, key: DrawKey) {
        let plan = SizePlan(
            SizePlan.Pattern(weights: [1], minimums: [1]), volume: opaque.volume, rate: opaque.unitRate,
            variation: opaque.sizeVariation, key: key)
        guard let plan, plan.isFeasible else { return nil }
        sizes = plan
        store = ByteStore(ByteStore.filler(key))
        grid = UnitGrid(opaque.unitRate)
        unitCount = duration.map { UnitGrid(opaque.unitRate).count(within: $0) }
        self.origin = origin
        self.streamID = streamID
        self.key = key.named("phase")
    }

    mutating func next() -> MediaUnit? {
        if let unitCount, index >= unitCount { return nil }
        let presentation = origin + grid.tick(index)
        defer { index += 1 }
        return MediaUnit(
            index: index, presentation: presentation, decode: presentation,
            duration: origin + grid.tick(index + 1) - presentation,
            byteCount: PESFraming.headerCount(presentation: 0, decode: 0) + sizes.size(index),
            headerByteCount: PESFraming.headerCount(presentation: 0, decode: 0), frameType: .unknown,
            isRandomAccess: true, hasTimestamp: true,
            locator: Int64(key.draw(index) >> 48), detail: 0)
    }

    func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        Self.write(unit, from: offset, into: bytes, streamID: streamID, store: store)
    }

    /// Header and filler.
    static func write(
        _ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer, streamID: UInt8,
        store: ByteStore
    ) {
        var writer = PieceWriter(bytes, from: offset)
        PESFraming.putHeader(of: unit, streamID: streamID, to: &writer)
        let header = PESFraming.headerCount(presentation: unit.presentation, decode: unit.decode)
        writer.putFiller(store, phase: Int(unit.locator), count: unit.byteCount - header)
    }
}

/// Units of random bytes when and as large as a trace says.
struct TracedUnits: UnitSequence {
    private let rows: [UnitTrace.Row]
    private let usualDuration: Int64
    private let origin: Int64
    private let unitCount: Int
    private let hasIntra: Bool
    private let streamID: UInt8
    private let store: ByteStore
    private let key: DrawKey
    private var index = 0

    init(_ trace: UnitTrace, origin: Int64, duration: TimeSpan?, streamID: UInt8, key: DrawKey) {
        rows = trace.rows
        hasIntra = trace.rows.contains { $0.frameType == .intra }
        usualDuration = trace.usualDuration
        let limit = duration.map { MediaClock.ticks($0, rate: MediaClock.ninetyKilohertz, .up) } ?? .max
        unitCount = trace.rows.firstIndex { $0.ticks >= limit } ?? trace.rows.count
        store = ByteStore(ByteStore.filler(key))
        self.origin = origin
        self.streamID = streamID
        self.key = key.named("phase")
    }

    mutating func next() -> MediaUnit? {
        guard index < unitCount else { return nil }
        let row = rows[index]
        defer { index += 1 }
        return MediaUnit(
            index: Int64(index), presentation: origin + row.ticks, decode: origin + row.ticks,
            duration: index + 1 < rows.count ? rows[index + 1].ticks - row.ticks : usualDuration,
            byteCount: PESFraming.headerCount(presentation: 0, decode: 0) + row.byteCount,
            headerByteCount: PESFraming.headerCount(presentation: 0, decode: 0), frameType: row.frameType,
            isRandomAccess: row.frameType == .intra || row.frameType == .unknown,
            hasTimestamp: true, references: references(row.frameType),
            locator: Int64(key.draw(Int64(index)) >> 48), detail: 0)
    }

    /// A trace lists its units in one order only, so that a B picture is taken to refer back. Without I pictures
    /// nobody knows where decoding begins, and each unit stands for itself.
    private func references(_ type: FrameType) -> UnitReferences {
        guard hasIntra else { return .independent }
        return switch type {
        case .unknown: .independent
        case .intra: .intra(.instantaneous)
        case .predicted: .predicted
        case .bidirectional: .disposable
        }
    }

    func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        OpaqueUnits.write(unit, from: offset, into: bytes, streamID: streamID, store: store)
    }
}
