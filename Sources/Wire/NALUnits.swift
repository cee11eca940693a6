/// NAL units in the byte stream format of H.264 and H.265 (ITU-T H.264 annex B, H.265 annex B).
public enum NALUnits {
    /// Finds the NAL units of a byte stream, without start codes and the zeros around them.
    ///
    /// - Parameter ranges: they replace what is in it; its memory is used again.
    /// - Complexity: O(n) in the bytes, of which most are not looked at.
    public static func find(in bytes: UnsafeRawBufferPointer, _ ranges: inout [Range<Int>]) {
        ranges.removeAll(keepingCapacity: true)
        guard var start = startCode(bytes, from: 0).map({ $0 + 3 }) else { return }
        while true {
            let next = startCode(bytes, from: start)
            var end = next ?? bytes.count
            while end > start, bytes[end - 1] == 0 { end -= 1 }
            if end > start { ranges.append(start..<end) }
            guard let next else { return }
            start = next + 3
        }
    }

    /// Where the next 00 00 01 begins.
    public static func startCode(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var index = offset + 2
        while index < bytes.count {
            // Within the bytes: `index` is, and no less than two are before it.
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            if byte > 1 {
                index &+= 3
            } else if byte == 1 {
                if bytes[index - 1] == 0 && bytes[index - 2] == 0 { return index - 2 }
                index &+= 3
            } else {
                index &+= 1
            }
        }
        return nil
    }
}
