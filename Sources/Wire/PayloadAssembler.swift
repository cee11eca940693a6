/// Puts access units together again from the payloads of RTP packets: what ``PayloadFragmenter`` has cut, as a transport
/// stream carries it.
///
/// Of H.264 and H.265 units become byte streams, of AAC and Opus each unit gets the header that transport streams put
/// before it; all else are the bytes themselves.
public struct PayloadAssembler: Sendable {
    private let format: RTPPayloadFormat
    /// The number of the packet that goes on with the NAL unit of which the latest one had a fragment.
    private var nextFragment: UInt16?

    /// An assembler that no payload has come to.
    public init(_ format: RTPPayloadFormat) { self.format = format }

    /// Adds what a payload carries to its unit. Fragments of a NAL unit behind one that is missing are left out, as is what
    /// cannot be read.
    ///
    /// - Parameters:
    ///   - unit: the elementary bytes that came of it before.
    ///   - isFirst: whether nothing has come of it before.
    public mutating func add(
        _ payload: UnsafeRawBufferPointer, sequenceNumber: UInt16, to unit: inout [UInt8], isFirst: Bool
    ) {
        switch format.kind {
        case .h264: addH264(payload, sequenceNumber, to: &unit)
        case .h265: addH265(payload, sequenceNumber, to: &unit)
        case .aac:
            guard payload.count > 4 else { return }
            // AU-size, 13 bits (RFC 3640 §3.2.1): of the whole unit, in a fragment too.
            let size = Int(payload[2]) << 5 | Int(payload[3]) >> 3
            if isFirst, let configuration = format.audioConfiguration {
                unit += AudioFrameHeader.adts(configuration, byteCount: size)
            }
            unit += payload[4...]
        case .mpegAudio, .units: if payload.count > 4 { unit += payload[4...] }
        case .opus:
            unit += OpusPacket.controlHeader(byteCount: payload.count)
            unit += payload
        case .pcmu, .pcma, .g722: unit += payload
        }
    }

    private static func append(nalUnit bytes: some Sequence<UInt8>, header: [UInt8] = [], to unit: inout [UInt8]) {
        unit += [0, 0, 0, 1]
        unit += header
        unit += bytes
    }

    /// RFC 6184 §5.6, §5.7.1, §5.8.
    private mutating func addH264(
        _ payload: UnsafeRawBufferPointer, _ sequenceNumber: UInt16, to unit: inout [UInt8]
    ) {
        guard payload.count > 1 else { return }
        switch payload[0] & 31 {
        case 1...23: Self.append(nalUnit: payload, to: &unit)
        case 24: addAggregate(payload, from: 1, to: &unit)
        case 28:
            guard payload.count > 2 else { return }
            let fragment = Fragment(header: [payload[0] & 0xe0 | payload[1] & 31], flags: payload[1], start: 2)
            add(fragment, of: payload, sequenceNumber, to: &unit)
        default: break
        }
    }

    /// RFC 7798 §4.4.1, §4.4.2, §4.4.3.
    private mutating func addH265(
        _ payload: UnsafeRawBufferPointer, _ sequenceNumber: UInt16, to unit: inout [UInt8]
    ) {
        guard payload.count > 2 else { return }
        switch payload[0] >> 1 & 63 {
        case 48: addAggregate(payload, from: 2, to: &unit)
        case 49:
            guard payload.count > 3 else { return }
            let header = [payload[0] & 0x81 | (payload[2] & 63) << 1, payload[1]]
            add(Fragment(header: header, flags: payload[2], start: 3), of: payload, sequenceNumber, to: &unit)
        case 0...47: Self.append(nalUnit: payload, to: &unit)
        default: break
        }
    }

    private func addAggregate(_ payload: UnsafeRawBufferPointer, from start: Int, to unit: inout [UInt8]) {
        var offset = start
        while offset + 2 < payload.count {
            let size = Int(payload[offset]) << 8 | Int(payload[offset + 1])
            offset += 2
            guard size > 0, offset + size <= payload.count else { return }
            Self.append(nalUnit: payload[offset..<offset + size], to: &unit)
            offset += size
        }
    }

    /// What a fragment's headers say of its NAL unit.
    private struct Fragment {
        /// Of the whole NAL unit.
        let header: [UInt8]
        /// Whether it is the first, and the last, one: bits 7 and 6.
        let flags: UInt8
        /// Where the data begin in the payload.
        let start: Int
    }

    private mutating func add(
        _ fragment: Fragment, of payload: UnsafeRawBufferPointer, _ sequenceNumber: UInt16, to unit: inout [UInt8]
    ) {
        if fragment.flags & 0x80 != 0 {
            Self.append(nalUnit: payload[fragment.start...], header: fragment.header, to: &unit)
        } else {
            guard nextFragment == sequenceNumber else {
                nextFragment = nil
                return
            }
            unit += payload[fragment.start...]
        }
        nextFragment = fragment.flags & 0x40 != 0 ? nil : sequenceNumber &+ 1
    }
}
