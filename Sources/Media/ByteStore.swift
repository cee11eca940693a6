import Timebase

/// Bytes that never change nor move while their owner lives.
///
/// `@unchecked Sendable`: written only in `init`. A raw pointer and not an array, because the writers run for every
/// transport packet and the array's reference counting would cost more than the copy.
final class ByteStore: @unchecked Sendable {
    let base: UnsafeRawPointer
    let count: Int

    init(_ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 64)
        copy.copyBytes(from: bytes)
        base = UnsafeRawPointer(copy.baseAddress.unsafelyUnwrapped)
        count = bytes.count
    }

    deinit { base.deallocate() }

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
}
