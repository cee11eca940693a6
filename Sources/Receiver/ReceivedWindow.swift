/// Which of the latest sequence numbers have been received.
struct ReceivedWindow: Sendable {
    /// How many numbers, a power of two.
    private let size: Int64
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

    /// Notes a number; false when it has been received before or is older than the window.
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
        guard end - number <= size else { return false }
        let (word, bit) = place(number)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
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
