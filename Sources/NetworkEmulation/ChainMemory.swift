/// What a chain that steps from packet to packet was at the latest packets asked for, by flow: so that a packet that has
/// been overtaken does not set the chain back to where it began.
struct ChainMemory<State: Sendable & BitwiseCopyable>: Sendable {
    /// How far back it remembers, a power of two.
    private static var depth: Int { 64 }

    private struct Entry: Sendable, BitwiseCopyable {
        var number: Int64
        var state: State
    }

    /// By flow, the latest packet asked for.
    private var latest: [Int64] = []
    /// By flow, `depth` entries by number mod `depth`.
    private var recent: [Entry] = []
    private let empty: State

    /// - Parameter empty: any state; it is never handed out.
    init(empty: State) { self.empty = empty }

    /// The chain at just this packet, if it is known.
    @inline(__always)
    func state(at number: Int64, flow: UInt16) -> State? {
        let index = Self.index(number, flow)
        guard index < recent.count, recent[index].number == number else { return nil }
        return recent[index].state
    }

    /// The latest packet at or before `number`, and from `first` on, at which the chain is known.
    mutating func nearest(to number: Int64, from first: Int64, flow: UInt16) -> (number: Int64, state: State)? {
        if Int(flow) >= latest.count { grow(flow) }
        let at = min(number, latest[Int(flow)])
        guard at >= first else { return nil }
        let known = recent[Self.index(at, flow)]
        return known.number == at ? (at, known.state) : nil
    }

    /// Notes the chain at a packet, of a flow that has been asked for.
    @inline(__always)
    mutating func note(_ state: State, at number: Int64, flow: UInt16) {
        recent[Self.index(number, flow)] = Entry(number: number, state: state)
        if number > latest[Int(flow)] { latest[Int(flow)] = number }
    }

    private static func index(_ number: Int64, _ flow: UInt16) -> Int {
        Int(flow) &* depth | Int(truncatingIfNeeded: number) & (depth &- 1)
    }

    private mutating func grow(_ flow: UInt16) {
        let more = Int(flow) + 1 - latest.count
        latest.append(contentsOf: repeatElement(-1, count: more))
        recent.append(contentsOf: repeatElement(Entry(number: -1, state: empty), count: more * Self.depth))
    }
}
