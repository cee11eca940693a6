/// What became of the packets handed to a link, in all and by flow.
public struct LinkCounters: Sendable {
    /// Of one flow, or of all.
    public struct Counts: Sendable, Equatable {
        /// By the loss model.
        public internal(set) var lost: Int64 = 0
        /// Because the link was down.
        public internal(set) var down: Int64 = 0
        /// Beyond what the policer lets pass.
        public internal(set) var policed: Int64 = 0
        /// Because the queue had no room.
        public internal(set) var queueFull: Int64 = 0
        /// Dropped by active queue management.
        public internal(set) var managed: Int64 = 0
        /// Copies made.
        public internal(set) var duplicated: Int64 = 0

        init() {}

        /// Packets that did not come out.
        public var dropped: Int64 { lost + down + policed + queueFull + managed }
    }

    /// Packets handed to the link.
    public internal(set) var packetsIn: Int64 = 0
    /// Packets that came out at its far end, copies made here included.
    public internal(set) var packetsOut: Int64 = 0
    /// Of all flows together.
    public private(set) var all = Counts()
    /// Flows to which nothing happened may be absent.
    private var flows: [Counts] = []

    /// What became of one flow's packets.
    public subscript(flow: UInt16) -> Counts { Int(flow) < flows.count ? flows[Int(flow)] : Counts() }

    /// Counts a packet that was not accepted, or given up later.
    mutating func count(_ verdict: LinkVerdict, flow: UInt16) {
        count(flow: flow) { counts in
            switch verdict {
            case .accepted: break
            case .lost: counts.lost += 1
            case .down: counts.down += 1
            case .policed: counts.policed += 1
            case .dropped(.queueFull): counts.queueFull += 1
            case .dropped(.activeManagement): counts.managed += 1
            }
        }
    }

    mutating func countDuplicate(flow: UInt16) { count(flow: flow) { $0.duplicated += 1 } }

    private mutating func count(flow: UInt16, _ note: (inout Counts) -> Void) {
        while flows.count <= Int(flow) { flows.append(Counts()) }
        note(&flows[Int(flow)])
        note(&all)
    }
}
