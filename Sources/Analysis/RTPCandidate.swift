/// What may become an RTP stream: packets of one SSRC, until there are enough to tell.
struct RTPCandidate {
    var ssrc: UInt32
    var arrivals: [RTPArrival] = []
    /// Steps from packet to packet that a stream would make: up to 32 numbers forward.
    var forwardSteps = 0
    private var previous: RTPArrival?

    /// Packets held at most.
    static let capacity = 64
    /// What a stream is told by when nothing describes it.
    static let leastSteps = 4
    /// Packets among which the first number is looked for.
    static let opening = 8

    init(ssrc: UInt32) { self.ssrc = ssrc }

    /// Takes a packet; one that does not go on where the one before was begins anew, unless the stream is described: then
    /// it may have been overtaken by many.
    ///
    /// - Returns: bytes of transport packets that are no longer held.
    mutating func add(_ arrival: RTPArrival, isDescribed: Bool) -> Int {
        var released = 0
        if let previous {
            let step = Int16(bitPattern: arrival.sequenceNumber &- previous.sequenceNumber)
            let ticks = Int32(bitPattern: arrival.timestamp &- previous.timestamp)
            // 2^27 ticks: 25 minutes of video's clock, 4.6 hours of telephony's.
            let isNear = abs(Int(step)) <= 32 && abs(Int(ticks)) < 1 << 27
            if !isDescribed, !isNear || arrivals.count == Self.capacity {
                for arrival in arrivals { released += arrival.transportPackets?.count ?? 0 }
                arrivals = []
                forwardSteps = 0
            } else if step > 0 {
                forwardSteps += 1
            }
        }
        previous = arrival
        arrivals.append(arrival)
        return released
    }

    func isStream(isDescribed: Bool, atEnd: Bool) -> Bool {
        if isDescribed { return arrivals.count >= (atEnd ? 1 : Self.opening) }
        return forwardSteps >= Self.leastSteps && (atEnd || arrivals.count >= Self.opening)
    }
}
