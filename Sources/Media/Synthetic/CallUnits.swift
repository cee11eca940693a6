import Timebase

/// The packets of a call, one a PES packet. Opus has the control header before it that its mapping into transport streams
/// asks for.
struct CallUnits: UnitSequence {
    private let codec: SyntheticCall.Codec
    private let grid: UnitGrid
    private let origin: Int64
    private let placeCount: Int64?
    private let streamID: UInt8
    /// The longest packet.
    private let store: ByteStore
    private var rhythm: TalkRhythm
    /// Of Opus.
    private var sizes: SizePlan?
    /// Of G.711.
    private let byteCount: Int
    private var index: Int64 = 0

    /// TOC and the longest frame (RFC 6716 §3.2.1).
    private static let longestOpusPacket = 1_276
    /// A frame that says silence by its first bits, and where its bytes end.
    private static let shortestOpusPacket = 3
    // The digital milliwatt, a period of 1 kHz (ITU-T G.711 tables 5 and 6).
    private static let aLawTone: [UInt8] = [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4]
    private static let muLawTone: [UInt8] = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e]

    /// Nil when the rate leaves too little for a packet, or gives more than one can hold.
    init?(_ call: SyntheticCall, origin: Int64, duration: TimeSpan?, streamID: UInt8, key: DrawKey) {
        guard let rate = UnitRate(count: 1, every: call.packetDuration) else { return nil }
        codec = call.codec
        switch call.codec {
        case .pcmu, .pcma:
            byteCount = Int(call.packetDuration.nanoseconds / 125_000)
            let tone = call.codec == .pcma ? Self.aLawTone : Self.muLawTone
            store = ByteStore((0..<byteCount).map { tone[$0 % tone.count] })
        case .opus(let bitRate, let variation):
            let plan = SizePlan(
                SizePlan.Pattern(weights: [1], minimums: [Self.shortestOpusPacket]), volume: .bitRate(bitRate),
                rate: rate, variation: variation, key: key)
            let mean = call.packetDuration.nanoseconds.scaled(by: Int64(bitRate.bitsPerSecond), over: 8_000_000_000)
            guard let plan, plan.isFeasible, mean < Self.longestOpusPacket,
                let configuration = Self.opusConfiguration(call.packetDuration)
            else { return nil }
            sizes = plan
            byteCount = 0
            // One frame, mono; a range coder that reads ones finds its first symbol, the flag of silence, set.
            store = ByteStore(
                [configuration << 3] + [UInt8](repeating: 0xff, count: Self.longestOpusPacket - 1))
        }
        rhythm = TalkRhythm(call, key: key)
        let grid = UnitGrid(rate)
        self.grid = grid
        placeCount = duration.map { grid.count(within: $0) }
        self.origin = origin
        self.streamID = streamID
    }

    /// TOC configuration of CELT in full band (RFC 6716 §3.1); nil where there is none so long.
    static func opusConfiguration(_ duration: TimeSpan) -> UInt8? {
        switch duration {
        case .microseconds(2_500): 28
        case .milliseconds(5): 29
        case .milliseconds(10): 30
        case .milliseconds(20): 31
        default: nil
        }
    }

    mutating func next() -> MediaUnit? {
        let place = rhythm.next()
        if let placeCount, place >= placeCount { return nil }
        let presentation = origin + grid.tick(place)
        let size = sizes == nil ? byteCount : min(Self.longestOpusPacket, sizes?.size(index) ?? 0)
        let header = PESFraming.headerCount(presentation: 0, decode: 0)
        defer { index += 1 }
        return MediaUnit(
            index: index, presentation: presentation, decode: presentation,
            duration: origin + grid.tick(place + 1) - presentation,
            byteCount: header + (sizes == nil ? 0 : Self.controlCount(size)) + size, headerByteCount: header,
            frameType: .unknown, isRandomAccess: true, hasTimestamp: true, locator: 0, detail: UInt64(size))
    }

    /// Bytes of the control header of a packet of Opus.
    private static func controlCount(_ size: Int) -> Int { 3 + size / 255 }

    func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        var writer = PieceWriter(bytes, from: offset)
        PESFraming.putHeader(of: unit, streamID: streamID, to: &writer)
        let size = Int(unit.detail)
        if sizes != nil {
            // control_header_prefix without flags, then au_size.
            writer.fill(0x7f, count: 1)
            writer.fill(0xe0, count: 1)
            writer.fill(0xff, count: size / 255)
            writer.fill(UInt8(size % 255), count: 1)
        }
        writer.put(store.base, count: size)
    }
}
