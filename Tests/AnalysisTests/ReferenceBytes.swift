/// Gives a transport packet an adaptation field of eight bytes with a clock reference (ISO/IEC 13818-1 §2.4.3.5), 27 MHz
/// ticks below 2^33·300, in place of the first of its payload.
func addReference(_ ticks: UInt64, to packet: inout [UInt8]) {
    let base = ticks / 300
    let rest = ticks % 300
    packet[3] |= 0x20
    packet.replaceSubrange(
        4..<12,
        with: [
            7, 0x10, UInt8(base >> 25 & 255), UInt8(base >> 17 & 255), UInt8(base >> 9 & 255), UInt8(base >> 1 & 255),
            UInt8(base & 1) << 7 | 0x7e | UInt8(rest >> 8), UInt8(rest & 255),
        ])
}
