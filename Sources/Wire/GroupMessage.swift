import Timebase

/// A message between the members of a group: clock synchronization, election, ordered delivery, agreement.
///
/// A form of this package's own, version 1, a UDP payload of big-endian numbers: `RG`, version (8 bits), kind (8),
/// sender's id (16), members n (16), Lamport's clock (64), vector clock (n × 32), then what the kind has, to the
/// datagram's end. Lists have their count (16 bits) before them. Every message is stamped.
public struct GroupMessage: Hashable, Sendable {
    /// When it left, by the sender's logical clocks; its node is the sender's id.
    public var stamp: LogicalStamp
    /// What it says.
    public var body: Body

    public init(stamp: LogicalStamp, body: Body) {
        self.stamp = stamp
        self.body = body
    }

    /// The most members of a group: two vectors of so many fit into a datagram.
    public static var mostMembers: Int { 128 }
    /// Readings and spans lie within ± 2^60 ns (36 years), so that sums of a few cannot overflow.
    static var longestSpan: Int64 { 1 << 60 }

    /// What is said.
    public enum Body: Hashable, Sendable {
        /// Averaging: the sender's clock now.
        case clock(LocalInstant)
        /// Berkeley: the coordinator asks for a clock, having read its own.
        case poll(round: UInt32, sent: LocalInstant)
        /// Berkeley: a member's clock.
        case answer(Answer)
        /// Berkeley: by how much a member's clock is to be corrected.
        case correction(Correction)
        /// Bully: who is there with a greater id?
        case election
        /// Bully: I am, leave it to me.
        case alive
        /// The sender is the coordinator.
        case coordinator
        /// Ring: who has been passed, or who is elected.
        case ring(Ring)
        /// A ring's message of this initiator has come.
        case ringAcknowledgment(initiator: UInt16, isElected: Bool)
        /// Ordered delivery: one member's word to another.
        case ordered(Ordered)
        /// Ordered delivery: everything before this sequence number has come.
        case received(before: UInt32)
        /// Oral messages: the last of `path` says that the one before it said so, and so on to the first.
        case statement(path: [UInt16], value: Int64)
        /// Berkeley: the round's correction has come.
        case corrected(round: UInt32)
    }

    /// Berkeley: the answer to a poll.
    public struct Answer: Hashable, Sendable {
        /// The poll's own number, given back.
        public var round: UInt32
        /// The poll's own reading, given back.
        public var sent: LocalInstant
        /// When the poll came and when the answer left, by the answering clock.
        public var received: LocalInstant
        /// When the answer left, by the answering clock.
        public var answered: LocalInstant

        public init(round: UInt32, sent: LocalInstant, received: LocalInstant, answered: LocalInstant) {
            self.round = round
            self.sent = sent
            self.received = received
            self.answered = answered
        }
    }

    /// Berkeley: by how much a member's clock is to be corrected.
    public struct Correction: Hashable, Sendable {
        /// The number of the poll that it follows from.
        public var round: UInt32
        /// What the clock is to gain; negative: lose.
        public var amount: TimeSpan
        /// How far from the group's mean it is then, at most; nil: unknown.
        public var bound: TimeSpan?
        /// The largest correction of the round, not negative.
        public var largest: TimeSpan

        public init(round: UInt32, amount: TimeSpan, bound: TimeSpan?, largest: TimeSpan) {
            self.round = round
            self.amount = amount
            self.bound = bound
            self.largest = largest
        }
    }

    /// Ring: an election's list on its way, or its result.
    public struct Ring: Hashable, Sendable {
        /// Who began it.
        public var initiator: UInt16
        /// Nil while members still put themselves on the list.
        public var elected: UInt16?
        /// Whom it has passed, in this order.
        public var members: [UInt16]

        public init(initiator: UInt16, elected: UInt16?, members: [UInt16]) {
            self.initiator = initiator
            self.elected = elected
            self.members = members
        }
    }

    /// Ordered delivery: what one member sends another, in sequence and until it is received.
    public struct Ordered: Hashable, Sendable {
        /// Of what this sender sends this receiver, from 0.
        public var sequenceNumber: UInt32
        /// What is to be delivered, or said of it.
        public var content: Content

        public init(sequenceNumber: UInt32, content: Content) {
            self.sequenceNumber = sequenceNumber
            self.content = content
        }

        /// What one member tells another.
        public enum Content: Hashable, Sendable {
            /// A message to the group; `number` counts its sender's from 0.
            case data(number: UInt32, delivery: [UInt32], payload: [UInt8])
            /// The message of `from` with this number has come.
            case acknowledgment(from: UInt16, number: UInt32)
            /// The sequencer's word: this message has this place in the order, from 0.
            case place(UInt32, from: UInt16, number: UInt32)
        }
    }
}
