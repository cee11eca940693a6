import Timebase

/// Proportional integral controller enhanced (RFC 8033): drops at arrival with a probability that is moved, at fixed
/// intervals, by how far the waiting time is from a target and by how it has changed.
public struct PIEParameters: Sendable, Hashable {
    /// QDELAY_REF, the waiting time to settle at; RFC 8033 §4.2: 15 ms.
    var target: TimeSpan
    /// T_UPDATE, between changes of the probability, at least 1 µs; RFC 8033 §4.2: 15 ms.
    let update: TimeSpan
    /// MAX_BURST, for how long nothing is dropped after a time without congestion; RFC 8033 §4.4: 150 ms.
    var largestBurst: TimeSpan = .milliseconds(150)
    /// Change of the probability for each second away from the target; RFC 8033 §4.2: 1/8 at an update of 15 ms.
    var alpha = 0.125
    /// Change of the probability for each second by which the waiting time has grown; RFC 8033 §4.2: 1 1/4.
    var beta = 1.25
    /// Waiting IP bytes of a packet in the mean: up to two nothing is dropped (RFC 8033 §4.1).
    var meanPacket = 1_500
    /// Packets that can be marked are marked in place of being dropped, up to a probability of 10 % (RFC 8033 §5.1).
    var ecn: Bool
    /// Drops are spread out (RFC 8033 §5.4), as in Linux.
    ///
    /// At a probability just below 85 % that drops 46 % of the packets, from there on 85 %. A load that does not answer and
    /// needs a share well between the two, from about 2.5 times the link's rate on, can make the waiting time swing to many
    /// times the target; without spreading it settles.
    public var isDerandomized: Bool
    var key: DrawKey

    public init(
        target: TimeSpan = .milliseconds(15), update: TimeSpan = .milliseconds(15), ecn: Bool = false,
        isDerandomized: Bool = true, key: DrawKey
    ) {
        self.target = target
        self.update = max(update, .microseconds(1))
        self.ecn = ecn
        self.isDerandomized = isDerandomized
        self.key = key
    }
}

/// The controller's state.
///
/// There is no timer: updates that have come due are made at the next event, each as of its own instant, which is the
/// same because the queue does not change between events. The waiting time is measured by timestamps (RFC 8033 §4.3): how
/// long the head has waited, zero when nothing waits.
///
/// Of RFC 8033's options it has §5.1 (marks), §5.4 (drops spread out), §5.5 (changes capped); not §5.3 (off while the
/// queue is short), which would need an opinion on the limit, nor Linux's further 2 % above 250 ms.
struct PIE: Sendable {
    private let parameters: PIEParameters
    /// 0...1.
    private(set) var probability = 0.0
    /// Of the packets since the last drop, summed (RFC 8033 §5.4).
    private(set) var accumulated = 0.0
    private(set) var burstAllowance: TimeSpan
    /// The waiting time at the last update.
    private(set) var delay = TimeSpan.zero
    private(set) var nextUpdate: Instant

    /// - Parameter start: the n-th update is at `start` + n · `update`.
    init(_ parameters: PIEParameters, start: Instant) {
        self.parameters = parameters
        burstAllowance = parameters.largestBurst
        nextUpdate = start + parameters.update
    }

    /// Makes the updates up to and with `now`, the queue having had this head since the last call.
    ///
    /// - Complexity: O(updates), of which after a long time without events less than a thousand or so change anything;
    ///   the others are not made.
    mutating func advance(to now: Instant, head: Packet?) {
        while nextUpdate <= now {
            let current = head.map { nextUpdate - $0.time } ?? .zero
            if isSettled(at: current, isEmpty: head == nil) {
                let steps = (now - nextUpdate).nanoseconds / parameters.update.nanoseconds
                nextUpdate += parameters.update * steps
                delay = head.map { nextUpdate - $0.time } ?? .zero
            } else {
                update(current)
            }
            nextUpdate += parameters.update
        }
    }

    /// Whether further updates change nothing but the waiting time, as long as no packet comes or goes.
    private func isSettled(at current: TimeSpan, isEmpty: Bool) -> Bool {
        if isEmpty {
            return probability == 0 && delay == .zero && burstAllowance == parameters.largestBurst
        }
        return probability == 1 && burstAllowance == .zero && current >= parameters.target && current >= delay
    }

    /// RFC 8033 §4.2, §4.4 and §5.5. DEVIATION: the allowance for bursts is renewed here and not when a packet comes, at
    /// most one update later, so that nothing but the waiting times at updates decides it.
    mutating func update(_ current: TimeSpan) {
        var change =
            parameters.alpha * Self.seconds(current - parameters.target) + parameters.beta
            * Self.seconds(current - delay)
        change /= Self.divisor(probability)
        if probability >= 0.1, change > 0.02 { change = 0.02 }
        probability += change
        if current == .zero, delay == .zero { probability *= 0.98 }
        probability = min(max(probability, 0), 1)
        if probability == 0, isShort(current), isShort(delay) {
            burstAllowance = parameters.largestBurst
        } else {
            burstAllowance = max(.zero, burstAllowance - parameters.update)
        }
        delay = current
    }

    private func isShort(_ span: TimeSpan) -> Bool { span * 2 < parameters.target }

    private static func seconds(_ span: TimeSpan) -> Double { Double(span.nanoseconds) / 1e9 }

    /// The smaller the probability, the smaller its steps (RFC 8033 §4.2).
    private static func divisor(_ probability: Double) -> Double {
        if probability < 0.000_001 { return 2_048 }
        if probability < 0.000_01 { return 512 }
        if probability < 0.000_1 { return 128 }
        if probability < 0.001 { return 32 }
        if probability < 0.01 { return 8 }
        return probability < 0.1 ? 2 : 1
    }

    /// Whether a packet that comes is dropped, or marked instead (RFC 8033 §4.1, §4.4 and §5.4).
    mutating func isCongested(for packet: Packet, waitingBytes: Int) -> Bool {
        if burstAllowance > .zero { return false }
        if isShort(delay) && probability < 0.2 || waitingBytes <= 2 * parameters.meanPacket { return false }
        if probability == 0 { accumulated = 0 }
        accumulated += probability
        if parameters.isDerandomized, accumulated < 0.85 { return false }
        if !parameters.isDerandomized || accumulated < 8.5 {
            let draw = parameters.key.draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy)
            guard Probability(probability).isHit(by: draw) else { return false }
        }
        accumulated = 0
        return true
    }

    /// A packet was dropped because the queue was full: the next early drop counts from here (RFC 8033, the appendices'
    /// `enqueue`).
    mutating func noteTailDrop() { accumulated = 0 }

    /// Whether congestion is told by marks as yet.
    var mayMark: Bool { parameters.ecn && probability <= 0.1 }
}
