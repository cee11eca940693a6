import Timebase
import Wire

/// Reads the packets of a transport stream on disk or from a pipe: of 188 bytes, of 192 with a time before each (M2TS), or
/// of 204 with Reed-Solomon bytes behind each; from wherever the first begins, and again where it got out of step.
public final class TransportStreamReader {
    /// What was read so far.
    public private(set) var input: CaptureInput
    /// From one packet to the next.
    public let packetLength: Int
    /// Bytes that belong to no packet.
    public private(set) var bytesBetween: Int64
    /// How often packets were not where they should be.
    public private(set) var resynchronizations: Int64 = 0

    private let source: ByteSource
    private var hasPacket = false
    /// Packets in a row that do not begin with a sync byte.
    private var wrongInRow = 0

    /// Packets in step that tell where they are.
    private static let enough = 5
    /// Wrong sync bytes in a row behind which packets are looked for elsewhere (ETSI TR 101 290 §5.2.1).
    private static let mostWrong = 2
    /// Bytes in which the first packets are looked for.
    private static let searched = 1 << 16

    /// - Returns: nil for what is no transport stream; nothing is taken from the source then.
    init?(_ source: ByteSource) throws(SystemError) {
        _ = try source.fill(Self.searched)
        guard let found = Self.find(in: source.available, lengths: [188, 192, 204]) else { return nil }
        self.source = source
        input = CaptureInput(path: source.path)
        input.format = "mpeg-ts"
        packetLength = found.length
        bytesBetween = Int64(found.offset)
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
        guard wrongInRow >= Self.mostWrong else { return }
        _ = try source.fill(Self.searched)
        guard let found = Self.find(in: source.available, lengths: [packetLength]), found.offset % packetLength != 0
        else { return }
        source.consume(found.offset)
        bytesBetween += Int64(found.offset)
        resynchronizations += 1
        wrongInRow = 0
    }

    /// Lends the 188 bytes of the packet read last.
    public func withPacket<Result>(_ body: (RawSpan) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: source.available[..<TransportPacket.length]).bytes)
    }
}
