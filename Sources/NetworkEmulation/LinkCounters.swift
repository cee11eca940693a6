import Timebase

/// What became of the packets handed to a link, in all and by flow.
public struct LinkCounters: Sendable {
    public internal(set) var packetsIn: Int64 = 0
    public internal(set) var packetsOut: Int64 = 0
    /// Drops by flow; flows that lost nothing may be absent.
    var lostByFlow: [Int64] = []
    var queueFullByFlow: [Int64] = []
    var managedByFlow: [Int64] = []

    public var lost: Int64 { lostByFlow.reduce(0, +) }
    public var queueFull: Int64 { queueFullByFlow.reduce(0, +) }

    /// Packets dropped by active queue management.
    public var managed: Int64 { managedByFlow.reduce(0, +) }

    /// Packets of one flow that active queue management dropped.
    public func managed(flow: UInt16) -> Int64 { Int(flow) < managedByFlow.count ? managedByFlow[Int(flow)] : 0 }
    /// Packets of one flow that the loss model took.
    public func lost(flow: UInt16) -> Int64 { Int(flow) < lostByFlow.count ? lostByFlow[Int(flow)] : 0 }
    /// Packets of one flow that found the queue full.
    public func queueFull(flow: UInt16) -> Int64 { Int(flow) < queueFullByFlow.count ? queueFullByFlow[Int(flow)] : 0 }

    mutating func countLost(flow: UInt16) { Self.add(to: &lostByFlow, Int(flow)) }

    mutating func count(_ reason: LinkDrop, flow: UInt16) {
        switch reason {
        case .queueFull: Self.add(to: &queueFullByFlow, Int(flow))
        case .activeManagement: Self.add(to: &managedByFlow, Int(flow))
        }
    }

    private static func add(to counts: inout [Int64], _ flow: Int) {
        while counts.count <= flow { counts.append(0) }
        counts[flow] += 1
    }
}
