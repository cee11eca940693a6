import Timebase
import Wire

/// Reads the packets of a transport stream on disk or from a pipe: of 188 bytes, of 192 with a time before each (M2TS), or
/// of 204 with Reed-Solomon bytes behind each; from wherever the first begins, and again where it got out of step.
public final class TransportStreamReader {
    /// What was read so far.
    public private(set) var input: CaptureInput
    /// From one packet to the next, where the latest was found.
    public private(set) var packetLength: Int
    /// Bytes that belong to no packet.
    public private(set) var bytesBetween: Int64
    /// How often packets were not where they should be.
    public private(set) var resynchronizations: Int64 = 0

    private let source: ByteSource
    private var hasPacket = false
    /// Packets in a row that do not begin with a sync byte.
    private var wrongInRow = 0
    /// Bytes ahead in which packets have been looked for in vain.
    private var searchedAhead = 0

    /// Packets in step that tell where they are.
    private static let enough = 5
    /// Wrong sync bytes in a row behind which packets are looked for elsewhere (ETSI TR 101 290 §5.2.1).
    private static let mostWrong = 2
    /// Bytes in which packets are looked for at once.
    private static let searched = 1 << 16
    /// From one packet to the next: plain, with a time before each, with Reed-Solomon bytes behind each.
    private static let lengths = [TransportPacket.length, withTime, 204]
    private static let withTime = 192

    /// - Returns: nil for what is no transport stream; nothing is taken from the source then.
    init?(_ source: ByteSource) throws(SystemError) {
        _ = try source.fill(Self.searched)
        guard let found = Self.find(in: source.available, lengths: Self.lengths) else { return nil }
        self.source = source
        input = CaptureInput(path: source.path)
        input.format = "mpeg-ts"
        packetLength = found.length
        // The first packet's time lies before it.
        let own = found.length == Self.withTime ? Self.withTime - TransportPacket.length : 0
        bytesBetween = Int64(max(found.offset - own, 0))
        source.consume(found.offset)
    }

    /// The first place from which on packets are in step.
    private static func find(
        in bytes: UnsafeRawBufferPointer, lengths: [Int]
    ) -> (offset: Int, length: Int)? {
        for offset in bytes.indices where bytes[offset] == TransportPacket.syncByte {
            for length in lengths where offset + (enough - 1) * length < bytes.count {
                let places = stride(from: offset + length, to: offset + enough * length, by: length)
                if places.allSatisfy({ bytes[$0] == TransportPacket.syncByte }) { return (offset, length) }
            }
        }
        return nil
    }

    /// Reads the next packet; false at the end.
    ///
    /// - Throws: ``SystemError``.
    public func next() throws(SystemError) -> Bool {
        if hasPacket { try leave() }
        hasPacket = try source.fill(TransportPacket.length)
        guard hasPacket else {
            if !source.available.isEmpty { input.skip(.truncatedFile) }
            if source.isDamaged { input.skip(.damagedCompression) }
            return false
        }
        wrongInRow = source.available[0] == TransportPacket.syncByte ? 0 : wrongInRow + 1
        input.packets += 1
        input.bytes += Int64(packetLength)
        return true
    }

    /// Goes on behind the packet read last.
    private func leave() throws(SystemError) {
        _ = try source.fill(packetLength)
        source.consume(packetLength)
        searchedAhead = max(searchedAhead - packetLength, 0)
        if wrongInRow >= Self.mostWrong, searchedAhead == 0 { try search() }
    }

    /// Looks for packets where those before are no more; passes over what holds none.
    ///
    /// Every byte is looked at once. What has no sync bytes in step up to the end of the file is read as packets.
    private func search() throws(SystemError) {
        let lengths = [packetLength] + Self.lengths.filter { $0 != packetLength }
        while true {
            let isWhole = try source.fill(Self.searched)
            if let found = Self.find(in: source.available, lengths: lengths) {
                guard found.length != packetLength || found.offset % packetLength != 0 else {
                    searchedAhead = found.offset
                    return
                }
                pass(over: found.offset)
                packetLength = found.length
                resynchronizations += 1
                wrongInRow = 0
                return
            }
            guard isWhole else {
                searchedAhead = source.available.count
                return
            }
            // Packets that begin at the end of what was looked at are found with what comes behind it.
            pass(over: source.available.count - Self.enough * (lengths.max() ?? 0))
        }
    }

    private func pass(over count: Int) {
        source.consume(count)
        bytesBetween += Int64(count)
    }

    /// Lends the 188 bytes of the packet read last.
    public func withPacket<Result>(_ body: (RawSpan) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: source.available[..<TransportPacket.length]).bytes)
    }
}
