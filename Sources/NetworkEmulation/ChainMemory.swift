/// What a chain that steps from packet to packet was at the latest packets asked for, by flow: so that a packet that has
/// been overtaken does not set the chain back to where it began.
struct ChainMemory<State: Sendable & BitwiseCopyable>: Sendable {
    /// How far back it remembers, a power of two.
    private static var depth: Int64 { 64 }

    private struct Flow: Sendable {
        var latest: Int64 = -1
        /// By number mod `depth`.
        var recent: [(number: Int64, state: State)]
    }

    private var flows: [Flow] = []
    private let empty: State

    /// - Parameter empty: any state; it is never handed out.
    init(empty: State) { self.empty = empty }

    /// The latest packet at or before `number`, and from `first` on, at which the chain is known.
    mutating func nearest(to number: Int64, from first: Int64, flow: UInt16) -> (number: Int64, state: State)? {
        while flows.count <= Int(flow) {
            flows.append(Flow(recent: Array(repeating: (-1, empty), count: Int(Self.depth))))
        }
        let at = min(number, flows[Int(flow)].latest)
        guard at >= first else { return nil }
        let known = flows[Int(flow)].recent[Int(at & (Self.depth - 1))]
        return known.number == at ? known : nil
    }

    /// Notes the chain at a packet, of a flow that has been asked for.
    mutating func note(_ state: State, at number: Int64, flow: UInt16) {
        flows[Int(flow)].recent[Int(number & (Self.depth - 1))] = (number, state)
        flows[Int(flow)].latest = max(flows[Int(flow)].latest, number)
    }
}
