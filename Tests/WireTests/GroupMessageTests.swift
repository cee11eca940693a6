import Testing
import Timebase
@testable import Wire

@Suite("Messages of a group")
struct GroupMessageTests {
    static let bodies: [GroupMessage.Body] = [
        .clock(LocalInstant(nanoseconds: -5)),
        .poll(round: 7, sent: LocalInstant(nanoseconds: 1 << 60)),
        .answer(
            .init(
                round: 1, sent: LocalInstant(nanoseconds: 2), received: LocalInstant(nanoseconds: 3),
                answered: LocalInstant(nanoseconds: 4))),
        .correction(.init(round: 9, amount: .milliseconds(-35), bound: nil, largest: .milliseconds(40))),
        .correction(.init(round: 9, amount: .milliseconds(-35), bound: .zero, largest: .milliseconds(40))),
        .election, .alive, .coordinator,
        .ring(.init(initiator: 2, elected: nil, members: [2, 3, 4])),
        .ring(.init(initiator: 2, elected: 0, members: [])),
        .ringAcknowledgment(initiator: 2, isElected: true),
        .ordered(.init(sequenceNumber: 1, content: .data(number: 0, delivery: [1, 0], payload: [9, 8, 7]))),
        .ordered(.init(sequenceNumber: 2, content: .acknowledgment(from: 4, number: 3))),
        .ordered(.init(sequenceNumber: 3, content: .place(17, from: 4, number: 3))),
        .received(before: 12),
        .corrected(round: 8),
        .statement(path: [0, 3], value: .min),
    ]

    private func message(_ body: GroupMessage.Body) -> GroupMessage {
        GroupMessage(stamp: LogicalStamp(lamport: 258, node: 3, vector: [1, 2, .max]), body: body)
    }

    @Test("what is written is read", arguments: bodies)
    func roundTrip(body: GroupMessage.Body) throws {
        let message = message(body)
        #expect(try GroupMessage(parsing: message.bytes.span.bytes) == message)
    }

    @Test("the bytes are those of the form")
    func golden() {
        let poll = GroupMessage(
            stamp: LogicalStamp(lamport: 258, node: 3, vector: [5, 6]),
            body: .poll(round: 7, sent: LocalInstant(nanoseconds: -2)))
        #expect(
            poll.bytes == [
                0x52, 0x47, 1, 2, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 5, 0, 0, 0, 6,
                0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
            ])
        let data = GroupMessage(
            stamp: LogicalStamp(lamport: 1, node: 1, vector: [1]),
            body: .ordered(.init(sequenceNumber: 2, content: .data(number: 1, delivery: [2], payload: [0xaa]))))
        #expect(
            data.bytes == [
                0x52, 0x47, 1, 10, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,
                0, 0, 0, 2, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 1, 0xaa,
            ])
    }

    @Test("cut anywhere it is truncated, and longer it is too long", arguments: bodies)
    func lengths(body: GroupMessage.Body) {
        let bytes = message(body).bytes
        for count in 0..<bytes.count {
            #expect(throws: ParseError.truncated) {
                try GroupMessage(parsing: Array(bytes.prefix(count)).span.bytes)
            }
        }
        #expect(throws: ParseError.badLength) { try GroupMessage(parsing: (bytes + [0]).span.bytes) }
    }

    @Test("what could overflow later is refused")
    func ranges() {
        func refused(_ body: GroupMessage.Body, lamport: UInt64 = 1) {
            let message = GroupMessage(stamp: LogicalStamp(lamport: lamport, node: 0, vector: []), body: body)
            #expect(throws: ParseError.forbiddenValue) { try GroupMessage(parsing: message.bytes.span.bytes) }
        }
        refused(.clock(LocalInstant(nanoseconds: (1 << 60) + 1)))
        refused(.clock(LocalInstant(nanoseconds: .min)))
        refused(.election, lamport: 1 << 62)
        refused(.correction(.init(round: 0, amount: .zero, bound: .nanoseconds(-2), largest: .zero)))
        refused(.correction(.init(round: 0, amount: .zero, bound: nil, largest: .nanoseconds(-1))))
    }

    @Test("no bytes trap", arguments: 0..<20 as Range<UInt64>)
    func random(seed: UInt64) {
        let key = DrawKey(seed: seed).named("group message")
        var read = 0
        for trial in 0..<2_000 as Range<Int64> {
            // Half of them begin as a message does and have one byte changed.
            let body = Self.bodies[Int(key.draw(trial * 2) % UInt64(Self.bodies.count))]
            var bytes = message(body).bytes
            let draw = key.draw(trial * 2 + 1)
            if trial % 2 == 0 {
                bytes[Int(draw % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: draw >> 32)
            } else {
                for index in 4..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: key.draw(draw: draw, index)) }
            }
            if let message = try? GroupMessage(parsing: bytes.span.bytes) {
                read += 1
                #expect(message.bytes == bytes)
            }
        }
        #expect(read > 0)
    }
}

extension DrawKey {
    fileprivate func draw(draw: UInt64, _ index: Int) -> UInt64 {
        named("bytes").draw(Int64(truncatingIfNeeded: draw) &+ Int64(index))
    }
}
