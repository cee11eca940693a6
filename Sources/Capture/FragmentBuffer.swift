import Timebase
import Wire

/// Puts IP fragments together again (RFC 791 §3.2, RFC 8200 §4.5), in bounded memory.
///
/// At most 64 packets wait for their fragments, each for 30 seconds of capture time; then the one that has waited
/// longest is given up. Where fragments overlap with different bytes the packet is given up too, as RFC 5722 wants it.
struct FragmentBuffer {
    private struct Key: Hashable {
        var source: IPAddress
        var destination: IPAddress
        var identification: UInt32
        var payloadProtocol: UInt8
    }

    fileprivate struct Partial {
        var bytes: [UInt8] = []
        /// Which units of eight bytes have come.
        var units: [UInt64] = Array(repeating: 0, count: 128)
        var unitCount = 0
        /// Bytes of the whole payload; nil before the last fragment.
        var total: Int?
        var since: Instant
        var fragments: Int64 = 0
    }

    private var partials: [Key: Partial] = [:]
    /// The keys in the order in which their first fragments came.
    private var queue: [Key] = []

    static let capacity = 64
    static let patience = TimeSpan.seconds(30)

    /// Takes a fragment's payload.
    ///
    /// - Parameters:
    ///   - payload: what the capture has of it; a fragment that was cut cannot be used.
    ///   - abandoned: goes up by the fragments that are given up.
    /// - Returns: the whole payload when this was its last missing piece.
    mutating func add(
        _ packet: IPPacket, _ fragment: IPPacket.Fragment, _ payload: RawSpan, at instant: Instant,
        abandoned: inout Int64
    ) -> [UInt8]? {
        expire(before: instant, &abandoned)
        let key = Key(
            source: packet.source, destination: packet.destination, identification: fragment.identification,
            payloadProtocol: packet.payloadProtocol)
        guard let position = partials.index(forKey: key) else {
            if queue.count == Self.capacity { giveUp(queue[0], &abandoned) }
            partials[key] = Partial(since: instant)
            queue.append(key)
            return add(packet, fragment, payload, at: instant, abandoned: &abandoned)
        }
        partials.values[position].fragments += 1
        guard payload.byteCount == packet.payloadCount, partials.values[position].take(fragment, payload) else {
            giveUp(key, &abandoned)
            return nil
        }
        guard let whole = partials.values[position].whole else { return nil }
        partials[key] = nil
        queue.removeAll { $0 == key }
        return whole
    }

    /// Gives up all that wait.
    mutating func finish(_ abandoned: inout Int64) {
        while let first = queue.first { giveUp(first, &abandoned) }
    }

    private mutating func expire(before instant: Instant, _ abandoned: inout Int64) {
        while let first = queue.first, let partial = partials[first], instant - partial.since > Self.patience {
            giveUp(first, &abandoned)
        }
    }

    private mutating func giveUp(_ key: Key, _ abandoned: inout Int64) {
        abandoned += partials[key]?.fragments ?? 0
        partials[key] = nil
        queue.removeAll { $0 == key }
    }
}

extension FragmentBuffer.Partial {
    /// Copies a fragment to its place; false when it contradicts what has come.
    fileprivate mutating func take(_ fragment: IPPacket.Fragment, _ payload: RawSpan) -> Bool {
        let end = fragment.offset + payload.byteCount
        guard end <= 65_535, payload.byteCount > 0 else { return false }
        if fragment.moreFollow {
            guard payload.byteCount % 8 == 0, end <= total ?? .max else { return false }
        } else {
            guard total == nil || total == end, bytes.count <= end else { return false }
            total = end
        }
        if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        return payload.withUnsafeBytes { copy($0, at: fragment.offset) }
    }

    private mutating func copy(_ payload: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        for unit in 0..<(payload.count + 7) / 8 {
            let place = offset / 8 + unit
            let piece = payload[unit * 8..<min(unit * 8 + 8, payload.count)]
            let bit: UInt64 = 1 << UInt64(place & 63)
            if units[place >> 6] & bit != 0 {
                guard bytes[place * 8..<place * 8 + piece.count].elementsEqual(piece) else { return false }
            } else {
                units[place >> 6] |= bit
                unitCount += 1
                for (index, byte) in piece.enumerated() { bytes[place * 8 + index] = byte }
            }
        }
        return true
    }

    fileprivate var whole: [UInt8]? {
        guard let total, unitCount == (total + 7) / 8 else { return nil }
        return bytes
    }
}
