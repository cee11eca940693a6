/// The extent of reordering (RFC 4737 §4.2.1): how many packets ago the earliest one arrived that should have come
/// after this one.
///
/// Only packets in order can be the earliest: the largest numbers so far. A ring of the last 4096 of them is kept; an
/// extent that reaches beyond counts as far as the ring does.
struct ReorderExtent: Sendable {
    /// The largest extent of all; 0 without reordering.
    private(set) var largest: Int64 = 0

    private static let capacity = 4096
    /// The numbers that arrived in order, ascending, with their places in the order of arrival.
    private var records: [(number: Int64, arrival: Int64)] = []
    private var next = 0
    private var arrivals: Int64 = 0

    init() {}

    /// Takes the first copy of a packet, in the order of arrival.
    ///
    /// - Returns: its extent when it is reordered, else 0.
    /// - Complexity: O(1) in order, O(log n) for a reordered packet.
    @discardableResult
    mutating func add(number: Int64) -> Int64 {
        defer { arrivals += 1 }
        guard let newest = records.isEmpty ? nil : records[(next + records.count - 1) % records.count].number,
            number < newest
        else {
            if records.count < Self.capacity {
                records.append((number, arrivals))
                next = 0
            } else {
                records[next] = (number, arrivals)
                next = (next + 1) % Self.capacity
            }
            return 0
        }
        var low = 0
        var high = records.count - 1
        while low < high {
            let middle = (low + high) / 2
            if records[(next + middle) % records.count].number > number { high = middle } else { low = middle + 1 }
        }
        let extent = arrivals - records[(next + low) % records.count].arrival
        largest = max(largest, extent)
        return extent
    }
}
