import Wire

/// Puts the sections of one PID together from its packets' payloads (ISO/IEC 13818-1 §2.4.4.2).
///
/// Feed it a payload, then take sections until there is none. Holds one section, at most 4096 bytes.
struct SectionGatherer: Sendable {
    /// The place in the monitor's states of the PID whose sections these are.
    let place: Int
    /// When the last section of the right table came; before the first, since when it has been awaited.
    var lastTable: Int64
    /// The last section that was read, so that the same one again costs no reading.
    var lastSection: [UInt8] = []

    /// The section under way, from its first byte.
    private(set) var section: [UInt8] = []
    private var isComplete = false

    init(place: Int, since instant: Int64) {
        self.place = place
        lastTable = instant
    }

    /// Forgets all that came: the PID has got a new meaning.
    mutating func begin(since instant: Int64) {
        abandon()
        lastSection.removeAll(keepingCapacity: true)
        lastTable = instant
    }

    /// Forgets the section under way: a part of it was lost.
    mutating func abandon() {
        section.removeAll(keepingCapacity: true)
        isComplete = false
    }

    /// Takes bytes from `offset` on, up to the end of a section; true when `section` is whole, and then it is to be used
    /// before the next call. Moves `offset` behind what was taken.
    mutating func take(_ bytes: RawSpan, from offset: inout Int, to end: Int, begins: Bool) -> Bool {
        if isComplete { abandon() }
        // Stuffing fills the packet behind its last section; what belongs to none is skipped.
        if section.isEmpty, !begins || offset < end && bytes[offset] == 0xff {
            offset = end
            return false
        }
        while offset < end {
            let needed = section.count < 3 ? 3 : announcedLength
            if section.count == needed { break }
            let count = min(needed - section.count, end - offset)
            for position in offset..<(offset + count) { section.append(bytes[position]) }
            offset += count
        }
        isComplete = section.count >= 3 && section.count == announcedLength
        return isComplete
    }

    /// Bytes of the section under way, from its first three.
    private var announcedLength: Int { Int(section[1] & 15) << 8 + Int(section[2]) + 3 }
}

extension RawSpan {
    /// A byte; 0 outside the span.
    fileprivate subscript(offset: Int) -> UInt8 { (try? bigEndian(UInt8.self, at: offset)) ?? 0 }
}
