import Wire

/// Finds the packets of a transport stream file: of 188 bytes, or of 192 or 204, which hold such a packet and a time
/// stamp before it or a checksum behind it.
struct PacketFraming {
    /// From one sync byte to the next.
    let stride: Int
    private(set) var position: Int
    /// Runs of packets that ended where a sync byte should have been.
    private(set) var syncLosses: Int64 = 0
    /// Bytes passed over to find the next.
    private(set) var skippedBytes: Int64 = 0

    /// Sync bytes in a row that make us believe.
    private static let evidence = 5

    /// Nil when the first 64 KiB hold no five sync bytes at a packet's distance. A shorter file must have them from its
    /// beginning to its end.
    init?(_ bytes: RawSpan) {
        let sizes = [TransportPacket.length, 192, 204]
        for start in 0..<min(bytes.byteCount, 1 << 16) where bytes.isSync(start) {
            for stride in sizes where Self.holds(bytes, from: start, stride: stride) {
                let isWhole = start + (Self.evidence - 1) * stride < bytes.byteCount
                guard isWhole || start == 0 || start == 4 && stride == 192 else { continue }
                guard start + TransportPacket.length <= bytes.byteCount else { continue }
                self.stride = stride
                position = start
                // A packet's prefix of four bytes is no damage.
                skippedBytes = Int64(start == 4 && stride == 192 ? 0 : start)
                return
            }
        }
        return nil
    }

    /// Whether sync bytes stand at all of the next five places, as far as the file goes.
    private static func holds(_ bytes: RawSpan, from start: Int, stride: Int) -> Bool {
        for step in 0..<evidence {
            let place = start + step * stride
            if place >= bytes.byteCount { break }
            guard bytes.isSync(place) else { return false }
        }
        return true
    }

    /// The offset of the next packet, or nil behind the last whole one.
    mutating func next(_ bytes: RawSpan) -> Int? {
        guard position + TransportPacket.length <= bytes.byteCount else { return nil }
        if !bytes.isSync(position) {
            syncLosses += 1
            let lost = position
            repeat {
                position += 1
                guard position + TransportPacket.length <= bytes.byteCount else {
                    skippedBytes += Int64(bytes.byteCount - lost)
                    position = bytes.byteCount
                    return nil
                }
            } while !(bytes.isSync(position) && Self.holds(bytes, from: position, stride: stride))
            skippedBytes += Int64(position - lost)
        }
        defer { position += stride }
        return position
    }

    /// The bytes at the end that are no whole packet.
    func remainder(_ bytes: RawSpan) -> Range<Int> { min(position, bytes.byteCount)..<bytes.byteCount }
}

extension RawSpan {
    /// Whether a sync byte stands there; false outside.
    func isSync(_ offset: Int) -> Bool {
        offset >= 0 && offset < byteCount
            && unsafeLoad(fromByteOffset: offset, as: UInt8.self) == TransportPacket.syncByte
    }
}
