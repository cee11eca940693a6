import Timebase

/// What a link does with a packet handed to it.
public enum LinkVerdict: Sendable, Equatable {
    /// It will come out of the other end.
    case accepted
    /// Lost by the loss model.
    case lost
    /// The link is down.
    case down
    /// More than the policer lets pass.
    case policed
    /// Refused by the queue.
    case dropped(LinkDrop)
}

/// A link's stages, in the order a packet meets them: outages, loss, policer, damage, queue, rate, duplication, delay and
/// jitter.
public struct LinkConfiguration: Sendable {
    /// Packets lost before anything else happens to them.
    public var loss: LossModel
    /// Packets of which one bit is changed.
    public var damage: PacketChance?
    /// What does not conform is dropped.
    public var policer: TokenBucketParameters?
    /// Bits per second, of IP packets with what the link layer adds; nil: no serialization, and so no queue.
    public var rate: BitRate?
    var queueLimit: DropTailQueue.Limit
    /// Who waits how, who goes first, who is dropped. Ignored without a rate.
    public var discipline: QueueDiscipline
    var delay: DelayModel
    /// What the link layer adds to each IP packet.
    public var linkLayer = LinkLayer.none
    /// Ignored without a rate.
    public var capacity = CapacitySource.constant
    /// Packets of which a copy follows.
    public var duplication: PacketChance?
    /// One bit, which tells the copies made here from those of other links on the way: see ``Packet/copy``.
    public var duplicateMark: UInt8 = 1
    /// While these last, begin to end with the end excluded, nothing enters; rising, apart from each other. What they do
    /// to the capacity is in ``capacity`` already.
    public var outages: [Range<Instant>] = []
    /// Rising; of each later configuration all but capacity, link layer, outages and changes counts from its instant on.
    /// What its rate does to the capacity is in ``capacity`` already; a shaper's numbers do change.
    public var changes: [(at: Instant, configuration: LinkConfiguration)] = []

    public init(
        loss: LossModel, rate: BitRate?, queueLimit: DropTailQueue.Limit, delay: DelayModel,
        discipline: QueueDiscipline = .dropTail
    ) {
        self.discipline = discipline
        self.loss = loss
        self.rate = rate
        self.queueLimit = queueLimit
        self.delay = delay
    }
}

/// How a link's capacity comes.
public enum CapacitySource: Sendable {
    /// Always the link's rate.
    case constant
    /// Changing; the link's rate is only what turns a queue's limit in time into one in bytes.
    case pieces(RateTrace)
    /// In lumps of so many bytes on the wire; the link's rate as above. Mahimahi's are of 1,504 bytes, and its packets
    /// have ``LinkLayer/tunnel`` around them.
    case opportunities(OpportunityTrace, bytes: Int)
    /// A shaper: a packet leaves whole, in no time, as soon as the bucket holds its bytes. One that is larger than the
    /// bucket never can and is dropped.
    case tokens(TokenBucketParameters)
}
