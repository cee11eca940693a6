/// Type-P-Reordered (RFC 4737 §3.3): a packet is reordered when its number is below the next expected one, which is one
/// more than the largest that has arrived.
///
/// Duplicates are not counted there (§3.3 leaves them out): feed it first copies only.
@frozen
public struct ReorderDetector: Sendable, BitwiseCopyable {
    @usableFromInline var next: Int64 = 0
    @usableFromInline var arrivals: Int64 = 0
    @usableFromInline var late: Int64 = 0

    @inlinable public init() {}

    /// NextExp: one more than the largest number that has arrived; 0 before the first.
    var nextExpected: Int64 { next }
    /// Packets that arrived.
    var arrived: Int64 { arrivals }
    /// Packets that were reordered.
    var reordered: Int64 { late }

    /// Takes an arrival; whether it is reordered.
    @inlinable
    @discardableResult
    public mutating func add(number: Int64) -> Bool {
        arrivals &+= 1
        if number >= next || arrivals == 1 {
            next = number &+ 1
            return false
        }
        late &+= 1
        return true
    }

    /// Type-P-Reordered-Ratio-Stream (RFC 4737 §4.1), 0...1; nil without arrivals.
    var ratio: Double? { arrived > 0 ? Double(reordered) / Double(arrived) : nil }
}
