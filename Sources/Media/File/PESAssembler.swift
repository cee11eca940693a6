import Wire

/// Puts the PES packets of one PID together, byte for byte as they are in the file.
struct PESAssembler {
    /// A whole PES packet.
    struct Unit {
        var offset: Int
        var byteCount: Int
        /// Of the PES header; known when it is whole.
        var headerByteCount = 0
        var streamID: UInt8
        // Modulo 2^33; nil when absent.
        var pts: Int64?
        var dts: Int64?
        var isRandomAccess: Bool
        /// The stretch of the program's clock in which it begins, and the last PCR before it; nil before the first.
        var stretch: Int
        var clock: Int64?
    }

    /// The packets' bytes, one behind the other.
    let store: ByteStore
    private(set) var units: [Unit] = []
    private var open: Unit?
    private var continuityCounter: UInt8?
    /// Where the packet before lies in the file, to know a repetition of it; and whether there was one.
    private var previousPayload: Range<Int> = 0..<0
    private var wasRepeated = false

    /// - Parameter capacity: payload bytes of the PID.
    init(capacity: Int) { store = ByteStore(capacity: capacity) }

    /// Takes a packet of the PID that has a payload.
    mutating func take(
        _ header: TransportPacketHeader, _ bytes: RawSpan, at offset: Int, clock: ProgramClock,
        damage: inout ProgramDamage
    ) {
        let payload = offset + header.payloadOffset..<offset + TransportPacket.length
        guard isNext(header, bytes, payload, &damage) else { return }
        if header.payloadUnitStart {
            close(&damage, isEnd: false)
            guard header.payloadCount > 0 else { return }
            open = Unit(
                offset: store.count, byteCount: 0, streamID: 0, pts: nil, dts: nil, isRandomAccess: header.randomAccess,
                stretch: max(0, clock.stretches.count - 1), clock: clock.stretches.last?.last)
        }
        if open != nil { store.append(bytes.extracting(payload)) }
    }

    /// Checks the continuity counter (ISO/IEC 13818-1 §2.4.3.3).
    ///
    /// - Returns: whether the packet is to be used; if bytes are missing before it, the open unit is gone.
    private mutating func isNext(
        _ header: TransportPacketHeader, _ bytes: RawSpan, _ payload: Range<Int>, _ damage: inout ProgramDamage
    ) -> Bool {
        defer {
            continuityCounter = header.continuityCounter
            previousPayload = payload
        }
        guard let continuityCounter else { return true }
        if header.continuityCounter == (continuityCounter + 1) & 15 {
            wasRepeated = false
            return true
        }
        if header.continuityCounter == continuityCounter,
            bytes.extracting(payload).isEqual(to: bytes.extracting(previousPayload))
        {
            if wasRepeated { damage.continuityErrors += 1 } else { damage.duplicatePackets += 1 }
            wasRepeated = true
            return false
        }
        wasRepeated = false
        // Announced before a new unit, the jump cuts nothing off.
        if header.discontinuityIndicator && header.payloadUnitStart { return true }
        if !header.discontinuityIndicator { damage.continuityErrors += 1 }
        if isBounded { close(&damage, isEnd: false) } else { discard(&damage.damagedUnits) }
        return true
    }

    private mutating func discard(_ counter: inout Int64) {
        guard let unit = open else { return }
        store.truncate(to: unit.offset)
        open = nil
        counter += 1
    }

    /// Bytes that the open unit's length field says it has; nil when unbounded or not yet known.
    private func announcedCount(_ unit: Unit) -> Int? {
        guard store.count >= unit.offset + 6 else { return nil }
        let length = Int(store.base.loadUnaligned(fromByteOffset: unit.offset + 4, as: UInt16.self).bigEndian)
        return length == 0 ? nil : length + 6
    }

    /// Whether the open unit says how long it is.
    private var isBounded: Bool { open.map { announcedCount($0) != nil } ?? false }

    /// The next unit begins, bytes are missing behind this one, or the file ends.
    ///
    /// - Parameter isEnd: the file ends, and what is missing is missing for that.
    private mutating func close(_ damage: inout ProgramDamage, isEnd: Bool) {
        guard let unit = open else { return }
        let isWhole = store.count >= unit.offset + (announcedCount(unit) ?? 6)
        if isWhole {
            keep(unit, &damage)
        } else if isEnd {
            discard(&damage.truncatedUnits)
        } else {
            discard(&damage.damagedUnits)
        }
    }

    /// Some multiplexers count wrongly. Where more bytes come than the length field says, decoders take them, so they
    /// are kept and the field corrected.
    private func repairLength(of unit: Unit, _ damage: inout ProgramDamage) {
        guard let announced = announcedCount(unit), announced < unit.byteCount else { return }
        store.replace(at: unit.offset + 4, with: UInt16(exactly: unit.byteCount - 6) ?? 0)
        damage.repairedLengths += 1
    }

    private mutating func keep(_ unit: Unit, _ damage: inout ProgramDamage) {
        var unit = unit
        unit.byteCount = store.count - unit.offset
        repairLength(of: unit, &damage)
        let bytes = UnsafeRawBufferPointer(start: store.base + unit.offset, count: unit.byteCount)
        guard let header = try? PESHeader(parsing: bytes.bytes) else { return discard(&damage.damagedUnits) }
        open = nil
        // A padding stream says nothing.
        guard header.streamID != 0xbe else { return store.truncate(to: unit.offset) }
        unit.streamID = header.streamID
        unit.headerByteCount = header.headerLength
        unit.pts = header.pts
        unit.dts = header.dts
        units.append(unit)
    }

    /// The file ends.
    ///
    /// - Parameter isCut: in the middle of a packet that would have gone on with the open unit.
    mutating func finish(isCut: Bool, damage: inout ProgramDamage) {
        if isCut && !isBounded { discard(&damage.truncatedUnits) } else { close(&damage, isEnd: true) }
    }
}
