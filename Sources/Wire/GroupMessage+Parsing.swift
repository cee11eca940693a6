import Timebase

extension GroupMessage {
    private static var magic: UInt16 { 0x5247 }
    private static var version: UInt8 { 1 }

    /// Reads a datagram.
    ///
    /// - Throws: `notRecognized`, `unsupportedVersion`, `truncated`; `forbiddenValue` for kinds that do not exist and
    ///   numbers out of range; `badLength` if something follows.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        guard try bytes.bigEndian(UInt16.self, at: 0) == Self.magic else { throw .notRecognized }
        guard try bytes.bigEndian(UInt8.self, at: 2) == Self.version else { throw .unsupportedVersion }
        let kind: UInt8 = try bytes.bigEndian(at: 3)
        var offset = 4
        let node: UInt16 = try bytes.next(&offset)
        let members = Int(try bytes.next(&offset) as UInt16)
        let lamport: UInt64 = try bytes.next(&offset)
        // No execution comes near this; one more must not overflow.
        guard members <= Self.mostMembers, lamport < 1 << 62 else { throw .forbiddenValue }
        var vector: [UInt32] = []
        for _ in 0..<members { vector.append(try bytes.next(&offset)) }
        stamp = LogicalStamp(lamport: lamport, node: node, vector: vector)
        body = try Body(kind: kind, parsing: bytes, &offset)
        guard offset == bytes.byteCount else { throw .badLength }
    }

    /// The datagram's bytes.
    ///
    /// - Precondition: no list is longer than ``mostMembers``, and no payload longer than 255 bytes.
    public var bytes: [UInt8] {
        precondition(stamp.vector.count <= Self.mostMembers)
        var bytes: [UInt8] = []
        bytes.appendBigEndian(Self.magic)
        bytes.append(Self.version)
        bytes.append(body.kind)
        bytes.appendBigEndian(stamp.node)
        bytes.appendBigEndian(UInt16(stamp.vector.count))
        bytes.appendBigEndian(stamp.lamport)
        for count in stamp.vector { bytes.appendBigEndian(count) }
        body.write(to: &bytes)
        return bytes
    }
}

extension GroupMessage.Body {
    fileprivate var kind: UInt8 {
        switch self {
        case .clock: 1
        case .poll: 2
        case .answer: 3
        case .correction: 4
        case .election: 5
        case .alive: 6
        case .coordinator: 7
        case .ring: 8
        case .ringAcknowledgment: 9
        case .ordered: 10
        case .received: 11
        case .statement: 12
        case .corrected: 13
        }
    }

    fileprivate init(kind: UInt8, parsing bytes: RawSpan, _ offset: inout Int) throws(ParseError) {
        switch kind {
        case 1: self = .clock(try bytes.nextReading(&offset))
        case 2: self = .poll(round: try bytes.next(&offset), sent: try bytes.nextReading(&offset))
        case 3:
            self = .answer(
                .init(
                    round: try bytes.next(&offset), sent: try bytes.nextReading(&offset),
                    received: try bytes.nextReading(&offset), answered: try bytes.nextReading(&offset)))
        case 4: self = .correction(try .init(parsing: bytes, &offset))
        case 5: self = .election
        case 6: self = .alive
        case 7: self = .coordinator
        case 8: self = .ring(try .init(parsing: bytes, &offset))
        case 9: self = .ringAcknowledgment(initiator: try bytes.next(&offset), isElected: try bytes.nextFlag(&offset))
        case 10: self = .ordered(try .init(parsing: bytes, &offset))
        case 11: self = .received(before: try bytes.next(&offset))
        case 12:
            self = .statement(
                path: try bytes.nextList(&offset), value: Int64(bitPattern: try bytes.next(&offset)))
        case 13: self = .corrected(round: try bytes.next(&offset))
        default: throw .forbiddenValue
        }
    }

    fileprivate func write(to bytes: inout [UInt8]) {
        switch self {
        case .clock(let reading): bytes.append(reading)
        case .poll(let round, let sent):
            bytes.appendBigEndian(round)
            bytes.append(sent)
        case .answer(let answer):
            bytes.appendBigEndian(answer.round)
            for reading in [answer.sent, answer.received, answer.answered] { bytes.append(reading) }
        case .correction(let correction): correction.write(to: &bytes)
        case .election, .alive, .coordinator: break
        case .ring(let ring): ring.write(to: &bytes)
        case .ringAcknowledgment(let initiator, let isElected):
            bytes.appendBigEndian(initiator)
            bytes.append(isElected ? 1 : 0)
        case .ordered(let ordered): ordered.write(to: &bytes)
        case .received(let number), .corrected(let number): bytes.appendBigEndian(number)
        case .statement(let path, let value):
            bytes.appendList(path)
            bytes.appendBigEndian(value)
        }
    }
}

extension GroupMessage.Correction {
    /// In place of a bound that is not known.
    private static var unknown: Int64 { -1 }

    fileprivate init(parsing bytes: RawSpan, _ offset: inout Int) throws(ParseError) {
        round = try bytes.next(&offset)
        amount = try bytes.nextSpan(&offset)
        let bound = try bytes.nextSpan(&offset)
        self.bound = bound.nanoseconds == Self.unknown ? nil : bound
        largest = try bytes.nextSpan(&offset)
        guard bound.nanoseconds >= Self.unknown, largest >= .zero else { throw .forbiddenValue }
    }

    fileprivate func write(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(round)
        bytes.appendBigEndian(amount.nanoseconds)
        bytes.appendBigEndian(bound?.nanoseconds ?? Self.unknown)
        bytes.appendBigEndian(largest.nanoseconds)
    }
}

extension GroupMessage.Ring {
    fileprivate init(parsing bytes: RawSpan, _ offset: inout Int) throws(ParseError) {
        initiator = try bytes.next(&offset)
        let isElected = try bytes.nextFlag(&offset)
        let elected: UInt16 = try bytes.next(&offset)
        guard isElected || elected == 0 else { throw .forbiddenValue }
        self.elected = isElected ? elected : nil
        members = try bytes.nextList(&offset)
    }

    fileprivate func write(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(initiator)
        bytes.append(elected == nil ? 0 : 1)
        bytes.appendBigEndian(elected ?? 0)
        bytes.appendList(members)
    }
}

extension GroupMessage.Ordered {
    fileprivate init(parsing bytes: RawSpan, _ offset: inout Int) throws(ParseError) {
        sequenceNumber = try bytes.next(&offset)
        switch try bytes.next(&offset) as UInt8 {
        case 1:
            content = .data(
                number: try bytes.next(&offset), delivery: try bytes.nextList(&offset),
                payload: try bytes.nextBytes(&offset))
        case 2: content = .acknowledgment(from: try bytes.next(&offset), number: try bytes.next(&offset))
        case 3:
            content = .place(
                try bytes.next(&offset), from: try bytes.next(&offset), number: try bytes.next(&offset))
        default: throw .forbiddenValue
        }
    }

    fileprivate func write(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(sequenceNumber)
        switch content {
        case .data(let number, let delivery, let payload):
            bytes.append(1)
            bytes.appendBigEndian(number)
            bytes.appendList(delivery)
            bytes.append(UInt8(payload.count))
            bytes.append(contentsOf: payload)
        case .acknowledgment(let node, let number):
            bytes.append(2)
            bytes.appendBigEndian(node)
            bytes.appendBigEndian(number)
        case .place(let place, let node, let number):
            bytes.append(3)
            bytes.appendBigEndian(place)
            bytes.appendBigEndian(node)
            bytes.appendBigEndian(number)
        }
    }
}

extension RawSpan {
    fileprivate func next<T: FixedWidthInteger & BitwiseCopyable>(_ offset: inout Int) throws(ParseError) -> T {
        let value: T = try bigEndian(at: offset)
        offset += MemoryLayout<T>.size
        return value
    }

    fileprivate func nextSpan(_ offset: inout Int) throws(ParseError) -> TimeSpan {
        let value: Int64 = try next(&offset)
        guard (-GroupMessage.longestSpan...GroupMessage.longestSpan).contains(value) else { throw .forbiddenValue }
        return .nanoseconds(value)
    }

    fileprivate func nextReading(_ offset: inout Int) throws(ParseError) -> LocalInstant {
        LocalInstant(nanoseconds: try nextSpan(&offset).nanoseconds)
    }

    fileprivate func nextFlag(_ offset: inout Int) throws(ParseError) -> Bool {
        let value: UInt8 = try next(&offset)
        guard value <= 1 else { throw .forbiddenValue }
        return value == 1
    }

    fileprivate func nextList<T: FixedWidthInteger & BitwiseCopyable>(
        _ offset: inout Int
    ) throws(ParseError) -> [T] {
        let count: UInt16 = try next(&offset)
        guard count <= GroupMessage.mostMembers else { throw .forbiddenValue }
        var list: [T] = []
        for _ in 0..<count { list.append(try next(&offset)) }
        return list
    }

    fileprivate func nextBytes(_ offset: inout Int) throws(ParseError) -> [UInt8] {
        let count: UInt8 = try next(&offset)
        var bytes: [UInt8] = []
        for _ in 0..<count { bytes.append(try next(&offset)) }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ reading: LocalInstant) { appendBigEndian(reading.nanoseconds) }

    fileprivate mutating func appendList<T: FixedWidthInteger & BitwiseCopyable>(_ list: [T]) {
        precondition(list.count <= GroupMessage.mostMembers)
        appendBigEndian(UInt16(list.count))
        for element in list { appendBigEndian(element) }
    }
}
