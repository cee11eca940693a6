import Timebase
import Wire

/// pcapng (draft-ietf-opsawg-pcapng): sections, interfaces and packets; blocks of other types are passed over.
struct PcapngFormat: CaptureFormat {
    /// What an interface description says that times and bytes need.
    private struct Interface {
        var linkType: LinkType
        var snapLength: UInt32
        /// Units of time in a second, as a power of `base`.
        var base: Int128 = 10
        var exponent = 6
        /// Seconds to add to every time.
        var offset: Int64 = 0

        func instant(_ units: UInt64) -> (Instant, isExact: Bool) {
            var nanoseconds = Int128(units)
            if base == 2 {
                nanoseconds = exponent < 64 ? (nanoseconds * 1_000_000_000) >> Int128(exponent) : 0
            } else if exponent <= 9 {
                for _ in exponent..<9 { nanoseconds *= 10 }
            } else {
                for _ in 9..<min(exponent, 40) { nanoseconds /= 10 }
            }
            return boundedInstant(nanoseconds + Int128(offset) * 1_000_000_000)
        }
    }

    private var order = FileOrder(isBigEndian: false)
    private var interfaces: [Interface] = []
    /// What each interface of the section says it has dropped, and all of the sections before.
    private var drops: [UInt32: UInt64] = [:]
    private var droppedBefore: UInt64 = 0
    /// Interfaces of a section that are kept; no real file comes near it.
    private static let maximumInterfaces = 65_536

    mutating func next(
        _ source: ByteSource, _ input: inout CaptureInput
    ) throws(SystemError) -> (packet: CapturedPacket, recordCount: Int)? {
        while true {
            guard try source.fill(12) else {
                if !source.available.isEmpty { input.skip(.truncatedFile) }
                return nil
            }
            if source.available.loadUnaligned(as: UInt32.self) == 0x0a0d_0d0a {
                guard beginSection(source.available) else {
                    input.skip(.badBlock)
                    return nil
                }
            }
            let type: UInt32 = order.load(source.available, 0)
            let length: UInt32 = order.load(source.available, 4)
            guard length >= 12, length % 4 == 0 else {
                input.skip(.badLength)
                return nil
            }
            guard length <= UInt32(ByteSource.capacity) else {
                if type == 6 || type == 2 || type == 3 { input.skip(.badBlock) }
                if try !source.skip(UInt64(length)) {
                    input.skip(.truncatedFile)
                    return nil
                }
                continue
            }
            let count = Int(length)
            guard try source.fill(count) else {
                input.skip(.truncatedFile)
                return nil
            }
            let block = UnsafeRawBufferPointer(rebasing: source.available[..<count])
            if let packet = take(type, block, &input) { return (packet, count) }
            source.consume(count)
        }
    }

    /// Forgets the section before; false where the header says no byte order. It has the same type in both orders and
    /// tells the order behind its length.
    private mutating func beginSection(_ header: UnsafeRawBufferPointer) -> Bool {
        switch header.loadUnaligned(fromByteOffset: 8, as: UInt32.self) {
        case UInt32(bigEndian: 0x1a2b_3c4d): order = FileOrder(isBigEndian: true)
        case UInt32(littleEndian: 0x1a2b_3c4d): order = FileOrder(isBigEndian: false)
        default: return false
        }
        interfaces = []
        droppedBefore = dropped
        drops = [:]
        return true
    }

    /// Reads a whole block; a packet when it has one.
    private mutating func take(
        _ type: UInt32, _ block: UnsafeRawBufferPointer, _ input: inout CaptureInput
    ) -> CapturedPacket? {
        switch type {
        case 1: describeInterface(block, &input)
        case 2, 6: return packet(type, block, &input)
        case 3: input.skip(.noTimestamp)
        case 5: noteStatistics(block, &input)
        default: break
        }
        return nil
    }

    private mutating func describeInterface(_ block: UnsafeRawBufferPointer, _ input: inout CaptureInput) {
        guard block.count >= 20, interfaces.count < Self.maximumInterfaces else { return input.skip(.badBlock) }
        var interface = Interface(
            linkType: LinkType(rawValue: order.load(block, 8)), snapLength: order.load(block, 12))
        forEachOption(block, from: 16) { code, value in
            if code == 9, value.count == 1 {
                interface.base = value[0] & 0x80 == 0 ? 10 : 2
                interface.exponent = Int(value[0] & 0x7f)
            } else if code == 14, value.count == 8 {
                interface.offset = order.load(value, 0)
            }
        }
        interfaces.append(interface)
    }

    private var dropped: UInt64 { drops.values.reduce(droppedBefore) { $0.addingReportingOverflow($1).partialValue } }

    /// What the interface and the system below the capture had no room for; later statistics replace earlier ones.
    private mutating func noteStatistics(_ block: UnsafeRawBufferPointer, _ input: inout CaptureInput) {
        guard block.count >= 24 else { return input.skip(.badBlock) }
        let number: UInt32 = order.load(block, 8)
        guard number < interfaces.count else { return input.skip(.badBlock) }
        var total: UInt64?
        forEachOption(block, from: 20) { code, value in
            // isb_ifdrop and isb_osdrop.
            guard code == 5 || code == 7, value.count == 8 else { return }
            let count: UInt64 = order.load(value, 0)
            total = (total ?? 0).addingReportingOverflow(count).partialValue
        }
        guard let total else { return }
        drops[number] = total
        input.dropped = Int64(clamping: dropped)
    }

    /// Options: code, length, value filled up to a word; the block's last word is its length again.
    private func forEachOption(
        _ block: UnsafeRawBufferPointer, from start: Int, _ body: (UInt16, UnsafeRawBufferPointer) -> Void
    ) {
        var offset = start
        while offset + 4 <= block.count - 4 {
            let code: UInt16 = order.load(block, offset)
            let count = Int(order.load(block, offset + 2, as: UInt16.self))
            guard code != 0, offset + 4 + count <= block.count - 4 else { return }
            body(code, UnsafeRawBufferPointer(rebasing: block[offset + 4..<offset + 4 + count]))
            offset += 4 + (count + 3) & ~3
        }
    }

    /// An enhanced packet (6) or one of the obsolete kind (2), which differ in how they number the interface.
    private func packet(
        _ type: UInt32, _ block: UnsafeRawBufferPointer, _ input: inout CaptureInput
    ) -> CapturedPacket? {
        guard block.count >= 32 else {
            input.skip(.badBlock)
            return nil
        }
        let number = type == 6 ? Int(order.load(block, 8, as: UInt32.self)) : Int(order.load(block, 8, as: UInt16.self))
        let count = Int(order.load(block, 20, as: UInt32.self))
        let originalCount = Int(order.load(block, 24, as: UInt32.self))
        guard number < interfaces.count, count <= block.count - 32 else {
            input.skip(.badBlock)
            return nil
        }
        let high: UInt32 = order.load(block, 12)
        let units = UInt64(high) << 32 | UInt64(order.load(block, 16, as: UInt32.self))
        let (instant, isExact) = interfaces[number].instant(units)
        if !isExact { input.skip(.badTimestamp) }
        return CapturedPacket(
            instant: instant, linkType: interfaces[number].linkType, originalCount: max(originalCount, count),
            range: 28..<28 + count)
    }
}
