import Timebase

/// Bytes that never move while their owner lives, and do not change once a source has been made of them.
///
/// `@unchecked Sendable`: only its maker appends, before anybody else knows it. A raw pointer and not an array, because
/// the writers run for every transport packet and the array's reference counting would cost more than the copy.
final class ByteStore: @unchecked Sendable {
    let base: UnsafeRawPointer
    private let capacity: Int
    private(set) var count = 0

    /// - Parameter capacity: the most bytes that will be appended.
    init(capacity: Int) {
        base = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: max(1, capacity), alignment: 64))
        self.capacity = capacity
    }

    convenience init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        append(bytes.span.bytes)
    }

    deinit { base.deallocate() }

    func append(_ bytes: RawSpan) {
        precondition(bytes.byteCount <= capacity - count)
        bytes.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(mutating: base) + count, count: source.count)
                .copyMemory(from: source)
        }
        count += bytes.byteCount
    }

    /// Takes back what was appended last.
    func truncate(to count: Int) {
        precondition((0...self.count).contains(count))
        self.count = count
    }

    /// Writes a number over what was appended, most significant byte first.
    func replace(at offset: Int, with value: UInt16) {
        precondition(offset >= 0 && offset + 2 <= count)
        UnsafeMutableRawPointer(mutating: base).storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    /// Media payload that means nothing: 2^16 random bytes, none of them 0x00 or 0xff, so that no cut through them makes
    /// a start code, an emulation of one, or an audio frame's sync word.
    ///
    /// Units take their bytes from it at a place of their own. Copying costs a fifth of drawing the bytes anew.
    static let fillerCount = 1 << 16

    static func filler(_ key: DrawKey) -> [UInt8] {
        let key = key.named("payload")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(fillerCount)
        for word in 0..<Int64(fillerCount / 8) {
            let draw = key.draw(word)
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                let byte = UInt8(truncatingIfNeeded: draw >> shift)
                bytes.append(byte == 0 || byte == 0xff ? 0x55 : byte)
            }
        }
        return bytes
    }

    /// Copies filler from `phase` on, going around at its end as often as it takes.
    func copyFiller(phase: Int, into bytes: UnsafeMutableRawBufferPointer) {
        guard let destination = bytes.baseAddress else { return }
        var (done, place) = (0, phase)
        while done < bytes.count {
            place &= Self.fillerCount - 1
            let run = min(bytes.count - done, Self.fillerCount - place)
            (destination + done).copyMemory(from: base + place, byteCount: run)
            done += run
            place += run
        }
    }
}
