/// Writes the bits of a NAL unit's payload, most significant first, with the emulation prevention bytes of
/// ITU-T H.264 §7.4.1 put in. Holds ``capacity`` bytes, in itself: slices are written while the emulation runs, where
/// nothing may allocate.
struct BitWriter {
    static let capacity = 256
    private var storage = [256 of UInt8](repeating: 0)
    private(set) var count = 0
    private var pending: UInt64 = 0
    private var pendingCount: UInt64 = 0
    private var zeros = 0

    /// A NAL unit with its start code.
    ///
    /// - Parameters:
    ///   - header: the NAL unit's first byte.
    ///   - zeroByte: one more zero before the start code.
    init(header: UInt8, zeroByte: Bool = false) {
        if zeroByte { store(0) }
        store(0)
        store(0)
        store(1)
        store(header)
    }

    /// What has been written.
    var bytes: [UInt8] { (0..<count).map { storage[$0] } }

    /// Lends the bytes written so far.
    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeBytes(of: storage) { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    /// u(count); `count` is 0...32.
    mutating func put(_ value: UInt64, bits count: UInt64) {
        pending = pending << count | value
        pendingCount += count
        while pendingCount >= 8 {
            pendingCount -= 8
            append(UInt8(truncatingIfNeeded: pending >> pendingCount))
        }
        pending &= (1 << pendingCount) - 1
    }

    mutating func put(_ flag: Bool) { put(flag ? 1 : 0, bits: 1) }

    /// ue(v), up to 2^16 - 2.
    mutating func putExponentialGolomb(_ value: UInt64) {
        let width = UInt64(64 - (value + 1).leadingZeroBitCount)
        put(0, bits: width - 1)
        put(value + 1, bits: width)
    }

    /// rbsp_trailing_bits.
    mutating func finish() {
        put(1, bits: 1)
        if pendingCount > 0 { put(0, bits: 8 - pendingCount) }
    }

    private mutating func append(_ byte: UInt8) {
        if zeros == 2 && byte <= 3 {
            store(3)
            zeros = 0
        }
        store(byte)
        zeros = byte == 0 ? zeros + 1 : 0
    }

    private mutating func store(_ byte: UInt8) {
        storage[count] = byte
        count += 1
    }
}
