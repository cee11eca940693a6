/// What became of the packets handed to a link, in all and by flow.
public struct LinkCounters: Sendable {
    /// Of one flow, or of all.
    public struct Counts: Sendable, Equatable {
        /// By the loss model.
        public internal(set) var lost: Int64 = 0
        /// Because the link was down.
        public internal(set) var down: Int64 = 0
        public internal(set) var policed: Int64 = 0
        public internal(set) var queueFull: Int64 = 0
        /// Dropped by active queue management.
        public internal(set) var managed: Int64 = 0
        /// Copies made.
        public internal(set) var duplicated: Int64 = 0

        public init() {}

        /// Packets that did not come out.
        public var dropped: Int64 { lost + down + policed + queueFull + managed }
    }

    public internal(set) var packetsIn: Int64 = 0
    public internal(set) var packetsOut: Int64 = 0
    public private(set) var all = Counts()
    /// Flows to which nothing happened may be absent.
    private var flows: [Counts] = []

    /// What became of one flow's packets.
    public subscript(flow: UInt16) -> Counts { Int(flow) < flows.count ? flows[Int(flow)] : Counts() }

    @inline(__always)
    mutating func count(flow: UInt16, _ note: (inout Counts) -> Void) {
        while flows.count <= Int(flow) { flows.append(Counts()) }
        note(&flows[Int(flow)])
        note(&all)
    }

    mutating func count(_ reason: LinkDrop, flow: UInt16) {
        count(flow: flow) { counts in
            switch reason {
            case .queueFull: counts.queueFull += 1
            case .activeManagement: counts.managed += 1
            }
        }
    }
}
