import Timebase

extension Link {
    /// Guarantees a flow a rate of its own in the link's queue, in place of any that it has.
    ///
    /// - Returns: false, and nothing has changed, when the link has no rate or its discipline knows no guarantees, the
    ///   rate is zero, or it is more than is free.
    public mutating func reserve(flow: UInt16, rate: BitRate) -> Bool {
        defer { hasDrops = bottleneck.queue.hasDrops }
        return bottleneck.queue.reserve(flow: flow, rate: rate)
    }

    /// Takes a flow's guarantee back.
    public mutating func release(flow: UInt16) {
        bottleneck.queue.release(flow: flow)
        hasDrops = bottleneck.queue.hasDrops
    }

    /// What can still be guaranteed; nil: the discipline knows no guarantees.
    public var unreservedRate: BitRate? { bottleneck.queue.unreservedRate }

    /// Packets that the queue marked in place of dropping them.
    public var marked: Int64 { bottleneck.queue.marked }
    /// Packets of one flow that the queue marked.
    public func marked(flow: UInt16) -> Int64 { bottleneck.queue.marked(flow: flow) }
}
