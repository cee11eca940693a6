/// The CRC of PSI sections: CRC-32/MPEG-2 (ISO/IEC 13818-1 annex A), polynomial 0x04c11db7, initial value all ones, most
/// significant bit first, nothing inverted at the end. Over a section with its CRC it is 0.
public enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index) << 24
        for _ in 0..<8 { value = value << 1 ^ (value >> 31 == 1 ? 0x04c1_1db7 : 0) }
        return value
    }

    /// The CRC of the bytes.
    ///
    /// - Complexity: O(n), a byte at a time.
    public static func mpeg2(_ bytes: RawSpan) -> UInt32 {
        let table = table
        var crc = UInt32.max
        for offset in 0..<bytes.byteCount {
            crc = crc &<< 8 ^ table[Int(UInt8(truncatingIfNeeded: crc &>> 24) ^ bytes.loaded(UInt8.self, at: offset))]
        }
        return crc
    }
}
