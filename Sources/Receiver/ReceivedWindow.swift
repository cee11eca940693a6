/// Which of the latest 1,024 sequence numbers have been received.
struct ReceivedWindow: Sendable {
    private static let size: Int64 = 1_024
    private var words: [UInt64] = Array(repeating: 0, count: Int(size / 64))
    /// One more than the highest number received.
    private var end: Int64?

    /// Notes a number; false when it has been received before or is older than the window.
    mutating func insert(_ number: Int64) -> Bool {
        guard let end else {
            self.end = number + 1
            set(number)
            return true
        }
        if number >= end {
            if number - end >= Self.size {
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
        guard end - number <= Self.size else { return false }
        let (word, bit) = place(number)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        return true
    }

    private func place(_ number: Int64) -> (word: Int, bit: UInt64) {
        let index = Int(number & (Self.size - 1))
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
