import Timebase

/// Synthetic audio: one frame of MPEG-1 Layer II (ISO/IEC 11172-3 §2.4) a PES packet.
struct MP2Units: UnitSequence {
    private let grid: UnitGrid
    private let origin: Int64
    private let unitCount: Int64?
    private let streamID: UInt8
    private let frameCount: Int
    /// Filler, then the frame's header and its bit allocation, which allots nothing.
    private let store: ByteStore
    private let key: DrawKey
    private var index: Int64 = 0

    /// Zeros that hold the longest bit allocation table of two channels: 2 · 94 bits (table B.2b).
    private static let allocationCount = 24
    private static let kilobitsByIndex: [UInt64] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]

    /// Nil when the rate or the frame's length is none of Layer II's.
    init?(_ audio: SyntheticAudio, origin: Int64, duration: TimeSpan?, streamID: UInt8, key: DrawKey) {
        guard let header = Self.header(audio), let rate = UnitRate(count: 1, every: audio.frameDuration) else {
            return nil
        }
        store = ByteStore(ByteStore.filler(key) + header + [UInt8](repeating: 0, count: Self.allocationCount))
        // 1,152 samples: 144 · rate / sampling frequency, a whole number for all of these.
        frameCount = Int(audio.frameDuration.nanoseconds / 1_000_000 * Int64(audio.bitRate.bitsPerSecond / 1_000)) / 8
        grid = UnitGrid(rate)
        unitCount = duration.map { UnitGrid(rate).count(within: $0) }
        self.origin = origin
        self.streamID = streamID
        self.key = key.named("phase")
    }

    private static func header(_ audio: SyntheticAudio) -> [UInt8]? {
        let bits = audio.bitRate.bitsPerSecond
        guard bits % 1_000 == 0, let rateIndex = kilobitsByIndex.firstIndex(of: bits / 1_000) else { return nil }
        let frequencyIndex: UInt8
        switch audio.frameDuration {
        case .milliseconds(24): frequencyIndex = 1
        case .milliseconds(36): frequencyIndex = 2
        default: return nil
        }
        let isMono = [32, 48, 56, 80].contains(bits / 1_000)
        // MPEG-1, Layer II, no CRC; no padding; mode, original.
        return [0xff, 0xfd, UInt8(rateIndex + 1) << 4 | frequencyIndex << 2, isMono ? 0xc4 : 0x04]
    }

    mutating func next() -> MediaUnit? {
        if let unitCount, index >= unitCount { return nil }
        let presentation = origin + grid.tick(index)
        defer { index += 1 }
        return MediaUnit(
            index: index, presentation: presentation, decode: presentation,
            duration: origin + grid.tick(index + 1) - presentation,
            byteCount: PESFraming.headerCount(presentation: 0, decode: 0) + frameCount,
            headerByteCount: PESFraming.headerCount(presentation: 0, decode: 0), frameType: .unknown,
            isRandomAccess: true, hasTimestamp: true,
            locator: Int64(key.draw(index) >> 48), detail: 0)
    }

    func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        var writer = PieceWriter(bytes, from: offset)
        PESFraming.putHeader(of: unit, streamID: streamID, to: &writer)
        let fixed = store.count - ByteStore.fillerCount
        writer.put(store.base + ByteStore.fillerCount, count: fixed)
        writer.putFiller(store, phase: Int(unit.locator), count: frameCount - fixed)
    }
}
