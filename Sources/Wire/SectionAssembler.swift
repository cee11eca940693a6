/// Puts the sections of one PID together from its packets (ISO/IEC 13818-1 §2.4.4).
///
/// Hand it a packet, then ask for the sections that have become whole with it until there is none:
///
///     assembler.take(header, bytes, at: offset)
///     while assembler.next(bytes) { read(assembler.section) }
///
/// A packet may hold several sections, and a section may go over several packets. The bytes before the place that a
/// packet's pointer_field tells end the section that was under way; what is not whole by then never will be. So it is
/// behind a gap in the continuity counters. The one repetition of a packet that §2.4.3.3 allows is passed over; stuffing
/// of 0xff ends what a packet has to say. CRCs are not looked at.
///
/// The one part of this module that remembers: a section under way and one that was read, of 4,098 bytes at most. Memory
/// is taken only for a section longer than all before it.
public struct SectionAssembler: Sendable {
    /// The section that ``next(_:)`` has found, header and CRC included; before, what has come of the one under way.
    public private(set) var section: [UInt8] = []

    /// What ``remember()`` has kept.
    private var remembered: [UInt8] = []
    private var isWhole = false
    /// Of the latest packet; nil before the first.
    private var continuityCounter: UInt8?
    private var hadRepetition = false
    // Of the latest packet, as offsets in the bytes: what has not been looked at yet, and where the sections begin that
    // its pointer tells of, or its end when it has none.
    private var position = 0
    private var beginning = 0
    private var end = 0
    private var hasPointer = false

    public init() {}

    /// Takes a packet of the PID. What of the packet before was not asked for is lost.
    ///
    /// Packets without payload, with errors or scrambled bring nothing; a counter that they have taken shows as a gap.
    ///
    /// - Parameters:
    ///   - header: read from the same bytes at the same offset.
    ///   - bytes: those that are handed to ``next(_:)``, too.
    public mutating func take(_ header: TransportPacketHeader, _ bytes: RawSpan, at offset: Int) {
        (position, beginning, end, hasPointer) = (0, 0, 0, false)
        guard header.hasPayload, !header.transportError, header.scrambling == 0,
            offset >= 0, offset <= bytes.byteCount - TransportPacket.length, goesOn(header)
        else { return }
        position = offset + header.payloadOffset
        end = offset + TransportPacket.length
        beginning = end
        guard header.payloadUnitStart else { return }
        guard let pointer = try? bytes.bigEndian(UInt8.self, at: position), position < end,
            position + 1 + Int(pointer) <= end
        else {
            // A pointer out of the packet: nothing in it can be told from anything else.
            dropSection()
            position = end
            return
        }
        position += 1
        beginning = position + Int(pointer)
        hasPointer = true
    }

    /// Finds the next section that is whole with the packet taken last; false when there is none any more.
    ///
    /// - Parameter bytes: those that the packet was taken from.
    public mutating func next(_ bytes: RawSpan) -> Bool {
        if isWhole { dropSection() }
        guard end <= bytes.byteCount else { return false }
        if position < beginning {
            if section.isEmpty {
                position = beginning
            } else if gather(bytes, upTo: beginning) {
                return true
            }
        }
        guard hasPointer else { return false }
        if position == beginning { dropSection() }
        guard position < end, !section.isEmpty || (try? bytes.bigEndian(UInt8.self, at: position)) != 0xff else {
            position = end
            return false
        }
        return gather(bytes, upTo: end)
    }

    /// Whether ``section`` is, byte for byte, the one that ``remember()`` has kept: tables are sent over and over.
    public var isRemembered: Bool { section == remembered }

    /// Keeps ``section``, so that it is known when it comes again.
    public mutating func remember() {
        remembered.removeAll(keepingCapacity: true)
        remembered.append(contentsOf: section)
    }

    /// Whether a packet is to be used. Behind a gap it is, but the section under way is not.
    private mutating func goesOn(_ header: TransportPacketHeader) -> Bool {
        let counter = header.continuityCounter
        defer { continuityCounter = counter }
        guard let continuityCounter else {
            hadRepetition = false
            return true
        }
        if counter == continuityCounter, !hadRepetition, !header.discontinuityIndicator {
            hadRepetition = true
            return false
        }
        hadRepetition = false
        if counter != (continuityCounter + 1) & 15 { dropSection() }
        return true
    }

    private mutating func dropSection() {
        section.removeAll(keepingCapacity: true)
        isWhole = false
    }

    /// Moves bytes to the section, at most to its end; whether it is whole.
    private mutating func gather(_ bytes: RawSpan, upTo limit: Int) -> Bool {
        while position < limit {
            let length = PSISection.announcedLength(section.span.bytes, at: 0)
            let count = min((length ?? 3) - section.count, limit - position)
            bytes.extracting(position..<position + count).withUnsafeBytes { section.append(contentsOf: $0) }
            position += count
            isWhole = PSISection.announcedLength(section.span.bytes, at: 0) == section.count
            if isWhole { return true }
        }
        return false
    }
}
