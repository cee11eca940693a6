import Timebase
import Wire

/// How the times in a protocol's messages are made wrong: all that a ``FaultyAgent`` knows of it.
public enum FaultTamper: Sendable, Equatable {
    /// Replies of an NTP server: T2 and T3.
    case ntp
    /// Messages of a group: the clocks and corrections told, and values to be agreed on.
    case group

    /// The message with every time in it wrong by `lie`; as it was where it tells none.
    func lying(_ message: [UInt8], by lie: TimeSpan) -> [UInt8] {
        switch self {
        case .ntp:
            changingReply(message) { bytes in
                // Units of 2^-32 s, modulo 2^64 as the timestamps are.
                let units = (Int128(lie.nanoseconds) << 32) / 1_000_000_000
                let change = UInt64(truncatingIfNeeded: units)
                for offset in [32, 40] { bytes.add(change, at: offset) }
            }
        case .group: changingBody(message) { $0.lying(by: lie) }
        }
    }

    /// The message as an answer out of protocol; as it was where it is no answer, or has nothing of the kind.
    func violating(_ message: [UInt8], _ violation: Fault.Violation) -> [UInt8] {
        switch self {
        case .ntp:
            changingReply(message) { bytes in
                switch violation {
                case .notEchoed: bytes.add(1, at: 24)
                case .stratumZero: bytes[1] = 0
                case .leapThree: bytes[0] |= 0xc0
                }
            }
        case .group:
            changingBody(message) { body in
                guard violation == .notEchoed, case .answer(var answer) = body else { return body }
                answer.round &+= 1
                return .answer(answer)
            }
        }
    }

    private func changingReply(_ message: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
        guard let packet = try? NTPPacket(parsing: message.span.bytes), packet.mode == 4 else { return message }
        var bytes = message
        change(&bytes)
        return bytes
    }

    private func changingBody(
        _ message: [UInt8], _ change: (GroupMessage.Body) -> GroupMessage.Body
    ) -> [UInt8] {
        guard let parsed = try? GroupMessage(parsing: message.span.bytes) else { return message }
        return GroupMessage(stamp: parsed.stamp, body: change(parsed.body)).bytes
    }
}

extension [UInt8] {
    /// Adds to the big-endian number of 64 bits at an offset, modulo 2^64.
    fileprivate mutating func add(_ change: UInt64, at offset: Int) {
        let value = self[offset..<offset + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) } &+ change
        for index in 0..<8 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64(index))) }
    }
}

extension GroupMessage.Body {
    fileprivate func lying(by lie: TimeSpan) -> Self {
        switch self {
        case .clock(let reading): return .clock(reading + lie)
        case .answer(var answer):
            answer.received = answer.received + lie
            answer.answered = answer.answered + lie
            return .answer(answer)
        case .correction(var correction):
            correction.amount += lie
            return .correction(correction)
        case .statement(let path, let value): return .statement(path: path, value: value &+ lie.nanoseconds)
        default: return self
        }
    }
}
