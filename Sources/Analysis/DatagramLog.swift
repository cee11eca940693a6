import Capture
import Timebase
import Wire

/// What is kept of each datagram of a capture to find it again in another: when it passed, and a digest of its bytes.
struct DatagramLog {
    /// Datagrams that belong together: an SSRC of a 5-tuple, or all of one that is not RTP.
    struct Key: Hashable {
        var flow: FlowKey
        var ssrc: UInt32?
    }

    struct Record: BitwiseCopyable {
        /// Of the whole payload.
        var whole: UInt64
        /// Of its first bytes and its length: what a capture that cuts packets has of each.
        var beginning: UInt64
        var instant: Int64
        var stream: UInt32
    }

    private(set) var records: [Record] = []
    private(set) var keys: [Key] = []
    /// Some payloads were cut by the capture.
    private(set) var hasCutPayloads = false
    /// Datagrams beyond the limit.
    private(set) var leftOut: Int64 = 0
    private var indices: [Key: UInt32] = [:]

    /// 40 bytes each: what two captures of several hours need.
    static let limit = 1 << 23
    /// An RTP header and what follows it, of packets cut to 64 bytes of Ethernet.
    private static let beginning = 20

    mutating func add(_ datagram: Datagram, payload: RawSpan) {
        guard records.count < Self.limit else {
            leftOut += 1
            return
        }
        var key = Key(flow: FlowKey(source: datagram.source, destination: datagram.destination), ssrc: nil)
        if payload.byteCount >= RTPHeader.fixedLength, let first = try? payload.bigEndian(UInt8.self, at: 0),
            let second = try? payload.bigEndian(UInt8.self, at: 1), first >> 6 == 2, !(192...223).contains(second)
        {
            key.ssrc = try? payload.bigEndian(UInt32.self, at: 8)
        }
        if payload.byteCount < datagram.payloadCount { hasCutPayloads = true }
        let seed = UInt64(datagram.payloadCount)
        let count = min(payload.byteCount, Self.beginning)
        records.append(
            Record(
                whole: payload.withUnsafeBytes { Self.digest($0, seed) },
                beginning: payload.extracting(0..<count).withUnsafeBytes { Self.digest($0, seed) },
                instant: datagram.instant.nanoseconds, stream: index(of: key)))
    }

    private mutating func index(of key: Key) -> UInt32 {
        if let last = records.last, keys[Int(last.stream)] == key { return last.stream }
        if let index = indices[key] { return index }
        let index = UInt32(keys.count)
        keys.append(key)
        indices[key] = index
        return index
    }

    /// 64 bits in which different payloads differ: not meant against those who would forge them.
    private static func digest(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
        var state = seed &* 0x9e37_79b9_7f4a_7c15
        func mix(_ word: UInt64) {
            let product = (state ^ word).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
            state = product.high ^ product.low &+ 0x9e37_79b9_7f4a_7c15
        }
        var offset = 0
        while offset + 8 <= bytes.count {
            mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < bytes.count {
            rest = rest << 8 | UInt64(bytes[offset])
            offset += 1
        }
        mix(rest)
        return state
    }
}
