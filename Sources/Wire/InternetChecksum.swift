/// The checksum of IPv4 and UDP: the one's complement of the one's complement sum of 16-bit words (RFC 1071).
public struct InternetChecksum: Sendable, BitwiseCopyable {
    /// The sum of the 16-bit words with the first byte as the less significant, not yet folded. The one's complement
    /// sum comes out byte-swapped so (RFC 1071 §2 B), which spares swapping every word.
    private var total: UInt64 = 0

    public init() {}

    /// Adds bytes; an odd one at the end counts as if a zero followed. Only the last piece may be odd.
    ///
    /// - Complexity: O(n), eight bytes at a time.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let words = bytes.count & ~7
        var sum: UInt64 = 0
        for offset in stride(from: 0, to: words, by: 8) {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            // Two 32-bit halves into 64 bits: no carry is lost in less than 16 GB.
            sum &+= (word & 0xffff_ffff) &+ (word &>> 32)
        }
        var tail: UInt64 = 0
        for offset in words..<bytes.count { tail |= UInt64(bytes[offset]) &<< UInt64(8 &* (offset &- words)) }
        sum &+= (tail & 0xffff_ffff) &+ (tail &>> 32)
        total &+= Self.folded(sum)
    }

    /// Adds a 16-bit number, as if its two bytes were added.
    public mutating func add(_ word: UInt16) { total &+= UInt64(word.byteSwapped) }

    /// Adds a 32-bit number, as if its four bytes were added.
    public mutating func add(_ word: UInt32) { total &+= UInt64(word.byteSwapped) }

    /// The checksum to send. Over bytes that hold a right one it is 0.
    var checksum: UInt16 { ~UInt16(truncatingIfNeeded: Self.folded(total)).byteSwapped }

    /// The sum alone: added to another, it counts as the bytes it is of.
    public var sum: UInt16 { ~checksum }

    /// To 16 bits, the carries added in again.
    private static func folded(_ sum: UInt64) -> UInt64 {
        var sum = (sum & 0xffff_ffff) &+ (sum &>> 32)
        sum = (sum & 0xffff) &+ (sum &>> 16)
        sum = (sum & 0xffff) &+ (sum &>> 16)
        return (sum & 0xffff) &+ (sum &>> 16)
    }
}
