/// Which of the latest sequence numbers have been received.
///
/// Not `DeliveryWindow`, which measures: that gives every number one verdict when it leaves, and so never grows; this one
/// must never take a datagram for a copy that is none.
struct ReceivedWindow: Sendable {
    /// How many numbers, a power of two.
    private var size: Int64
    private var words: [UInt64]
    /// One more than the highest number received.
    private var end: Int64?

    /// - Parameter reach: how far behind the latest number one may come although the network keeps the order; 1,024
    ///   more are known for what the network does.
    init(reach: Int = 0) {
        var size: Int64 = 1_024
        while size < 1_024 + reach { size *= 2 }
        self.size = size
        words = Array(repeating: 0, count: Int(size / 64))
    }

    /// Notes a number; false when it has been received before, or 32,768 and more lie above it.
    ///
    /// One that is older than the window makes it larger: what had left it until then is taken as not received.
    mutating func insert(_ number: Int64) -> Bool {
        guard let end else {
            self.end = number + 1
            set(number)
            return true
        }
        if number >= end {
            if number - end >= size {
                for index in words.indices { words[index] = 0 }
            } else {
                var skipped = end
                while skipped < number {
                    clear(skipped)
                    skipped += 1
                }
            }
            self.end = number + 1
            set(number)
            return true
        }
        if end - number > size, !grow(to: end - number) { return false }
        let (word, bit) = place(number)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        return true
    }

    private mutating func grow(to reach: Int64) -> Bool {
        guard reach <= 1 << 15, let end else { return false }
        let old = self
        while size < reach { size *= 2 }
        words = Array(repeating: 0, count: Int(size / 64))
        for number in end - old.size..<end {
            let (word, bit) = old.place(number)
            if old.words[word] & bit != 0 { set(number) }
        }
        return true
    }

    private func place(_ number: Int64) -> (word: Int, bit: UInt64) {
        let index = Int(number & (size - 1))
        return (index >> 6, 1 << UInt64(index & 63))
    }

    private mutating func set(_ number: Int64) {
        let (word, bit) = place(number)
        words[word] |= bit
    }

    private mutating func clear(_ number: Int64) {
        let (word, bit) = place(number)
        words[word] &= ~bit
    }
}
