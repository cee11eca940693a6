import Timebase

/// The bytes that pairs of hexadecimal digits stand for; spaces are for the reader.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// What `write` puts into a buffer of `count` bytes that were all 0xaa.
func written(_ count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xaa, count: count)
    bytes.withUnsafeMutableBytes(write)
    return bytes
}

/// Random bytes, the same in every run.
struct RandomBytes {
    private let key: DrawKey
    private var index: Int64 = 0

    init(_ name: String) { key = DrawKey(seed: 1).named(name) }

    mutating func number(below limit: Int) -> Int {
        index += 1
        return Int(key.draw(index) % UInt64(limit))
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(number(below: 256)) } }

    /// `golden` with up to four bytes changed and the end perhaps cut off: close enough to the format to get far.
    mutating func damaged(_ golden: [UInt8]) -> [UInt8] {
        var bytes = golden
        for _ in 0...number(below: 4) { bytes[number(below: bytes.count)] = UInt8(number(below: 256)) }
        return number(below: 3) == 0 ? Array(bytes.prefix(number(below: bytes.count + 1))) : bytes
    }
}
