import Timebase

/// Packets by the time they come: recorded traffic beside the program's.
public struct ArrivalTrace: Sendable {
    /// One packet of the trace.
    public struct Arrival: Hashable, Sendable, BitwiseCopyable {
        /// From the trace's beginning.
        public let time: TimeSpan
        /// IP bytes.
        public let length: UInt16
    }

    /// At least one, in the order of time.
    public let arrivals: [Arrival]

    /// Reads rows of `time_s,bytes`: IP packets of 1 to 65535 bytes, no time before the row above.
    ///
    /// Without a header line times are seconds; a header may name others: `time_ms`, `time_us`, `time_ns`.
    public init(csv bytes: [UInt8]) throws(TraceProblem) {
        let length = NumberTable.Column(name: "bytes", units: [("", 1)], range: 1...65_535, limits: "from 1 to 65535")
        let table = try NumberTable(bytes, [.time, length], order: .notFalling)
        arrivals = (0..<table.count).map { row in
            Arrival(time: .nanoseconds(table[row, 0]), length: UInt16(table[row, 1]))
        }
    }

    /// The time of the last arrival.
    public var span: TimeSpan { arrivals.last?.time ?? .zero }
}
