import Timebase

/// Something that is wrong with a node for a while (the textbook's classes: Cristian 1991; Hadzilacos and Toueg 1993).
public struct Fault: Sendable, Equatable {
    /// A class of faults, with what it takes.
    public enum Kind: Sendable, Equatable {
        /// It is silent, and then goes on: with its timers as they were, or having lost what was not on stable storage.
        case crash(losesState: Bool)
        /// So many of its messages are lost.
        case omission(share: Probability)
        /// Its messages are late by so much, not negative.
        case timing(late: TimeSpan)
        /// The time that it tells is wrong by `offset` at first, positive: fast, and by `drift` parts per billion more.
        case value(offset: TimeSpan, drift: Int64)
        /// It answers out of protocol.
        case stateTransition(Violation)
        /// It tells each peer a time of its own, wrong by up to `spread` in either direction.
        case arbitrary(spread: TimeSpan)
    }

    /// An answer that its protocol forbids.
    public enum Violation: Sendable, Equatable, CaseIterable {
        /// What the question gave to be echoed is not: NTP's origin timestamp, the round of a poll.
        case notEchoed
        /// NTP: a kiss-o'-death.
        case stratumZero
        /// NTP: not synchronized.
        case leapThree
    }

    /// Whose messages: those that come, or those that leave.
    public enum Direction: Sendable, Equatable {
        /// Those that come.
        case incoming
        /// Those that leave.
        case outgoing
    }

    /// When it begins, from the node's start by its own clock; steps that the agent makes do not move it.
    var at: TimeSpan
    /// How long it lasts; nil: for good.
    var length: TimeSpan?
    /// What is wrong.
    var kind: Kind
    /// Of omission and timing: which messages; nil: both.
    var direction: Direction?

    /// A fault from `at` on; without a `length` for good.
    public init(at: TimeSpan, length: TimeSpan?, _ kind: Kind, direction: Direction? = nil) {
        self.at = at
        self.length = length
        self.kind = kind
        self.direction = direction
    }

    /// When it is over, from the node's start; nil: never.
    var end: TimeSpan? { length.map { at + $0 } }

    /// Whether it concerns packets whatever they say: all but wrong times and answers.
    public var concernsMedia: Bool {
        switch kind {
        case .crash, .omission, .timing: true
        case .value, .stateTransition, .arbitrary: false
        }
    }

    /// The same, but that nothing is lost by a crash.
    public var keepingState: Fault {
        var fault = self
        if isCrash { fault.kind = .crash(losesState: false) }
        return fault
    }

    /// Whether it is a crash.
    public var isCrash: Bool { if case .crash = kind { true } else { false } }

    func isActive(at elapsed: TimeSpan) -> Bool { elapsed >= at && end.map { elapsed < $0 } ?? true }

    func concerns(_ direction: Direction) -> Bool { self.direction.map { $0 == direction } ?? true }
}
