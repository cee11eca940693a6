import Wire

/// The datagrams of several captures in the order of their times; of equal times in the order of the captures.
public final class DatagramMerger {
    let readers: [DatagramReader]
    /// The captures that have a datagram ready.
    private var ready: [Int] = []
    private var current: Int?

    /// - Throws: ``SystemError``.
    public init(_ readers: [DatagramReader]) throws(SystemError) {
        self.readers = readers
        for index in readers.indices where try readers[index].next() { ready.append(index) }
    }

    /// The next datagram's reader; nil at the end. It is good until the next call.
    ///
    /// - Throws: ``SystemError``.
    public func next() throws(SystemError) -> DatagramReader? {
        if let last = current, try !readers[last].next() { ready.removeAll { $0 == last } }
        guard var earliest = ready.first else {
            current = nil
            return nil
        }
        for index in ready.dropFirst() where readers[index].datagram.instant < readers[earliest].datagram.instant {
            earliest = index
        }
        current = earliest
        return readers[earliest]
    }
}
