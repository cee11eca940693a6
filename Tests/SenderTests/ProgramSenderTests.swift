import Media
import Protection
@testable import Sender
import Testing
import Timebase
import Wire

@Suite("Program's sender")
struct ProgramSenderTests {
    /// The sender's clock when the program begins: nothing may depend on it but instants.
    static let zero = LocalInstant(nanoseconds: -7_000_000_000_001)

    static func sender(
        block: InterleavingBlock? = nil, hasRTP: Bool = true, program: Program? = nil
    ) throws -> ProgramSender {
        let program = try program ?? TestProgram.television.program()
        let plan = try TestProgram.plan(program)
        let interleaving = block.map { block in
            let span = plan.rate.transmissionTime(bits: UInt64(2 * block.lead * 7 * 1_504))
            return InterleavingConfiguration(block: block, leastSpan: span, longestSpan: span)
        }
        return ProgramSender(
            Multiplexer(program, plan: plan), rtp: hasRTP ? RTPPacketizerTests.packetizer() : nil,
            interleaving: interleaving, traits: DatagramTraits(flow: 9, differentiatedServices: 46, marks: .ecnCapable),
            zero: Self.zero)
    }

    /// What a sender did, each at its time.
    struct Taken {
        var multiplexed: [(bytes: [UInt8], at: LocalInstant)] = []
        var sent: [(packet: Packet, bytes: [UInt8], at: LocalInstant)] = []

        /// Drives a sender to its end; `stopping` ends its program at the first timeout from then on.
        init(_ sender: inout ProgramSender, stopping: LocalInstant = .distantFuture) {
            var pool = PacketPool(slotCapacity: 1_500)
            var hasStopped = false
            sender.start(&pool)
            while sender.nextTimeout != .distantFuture {
                let now = sender.nextTimeout
                if now >= stopping, !hasStopped {
                    sender.stop(at: now)
                    hasStopped = true
                }
                sender.handleTimeout(&pool, at: now - .nanoseconds(1))
                let early = sender.pollOutput()
                #expect(early == nil)
                sender.handleTimeout(&pool, at: now)
                while let output = sender.pollOutput() {
                    switch output {
                    case .multiplexed(let packet):
                        multiplexed.append((Array(pool.bytes(packet.slot, count: Int(packet.length) - 28)), now))
                    case .send(let packet):
                        sent.append((packet, Array(pool.bytes(packet.slot, count: Int(packet.length) - 28)), now))
                        pool.release(packet.slot)
                    }
                }
            }
            #expect(sender.isFinished && pool.slotsInUse == 0)
        }
    }

    @Test(
        "datagrams are the multiplexer's, each sent when it is complete and the latency is over",
        arguments: [true, false])
    func plain(hasRTP: Bool) throws {
        var sender = try Self.sender(hasRTP: hasRTP)
        var multiplexer = sender.multiplexer
        let taken = Taken(&sender)
        let packets = multiplexer.drain()
        let header = hasRTP ? 12 : 0
        #expect(sender.headerLength == header)
        #expect(taken.sent.flatMap { $0.bytes[header...] } == packets.flatMap(\.bytes))
        #expect(taken.multiplexed.map(\.bytes) == taken.sent.map(\.bytes))
        let ends = packets.enumerated().filter { $0.offset % 7 == 0 }.map(\.element.end)
        #expect(taken.sent.map(\.at) == ends.map { Self.zero + sender.multiplexer.plan.latency + $0 })
        #expect(taken.sent.map(\.packet.number) == (0..<UInt32(taken.sent.count)).map { $0 })
        #expect(sender.packetsSent == Int64(taken.sent.count))
        #expect(taken.sent.allSatisfy { $0.packet.flow == 9 && $0.packet.differentiatedServices == 46 })
        #expect(
            taken.sent.allSatisfy { $0.packet.marks == .ecnCapable && Int($0.packet.length) == $0.bytes.count + 28 })
        #expect(sender.rtp?.packetCount == (hasRTP ? sender.packetsSent : nil))
        #expect(sender.rtp?.octetCount == (hasRTP ? Int64(packets.count * 188) : nil))
    }

    @Test("an interleaver sends the same datagrams, by columns, in the turns of those that reach the multiplex")
    func interleaved() throws {
        let block = InterleavingBlock(rows: 4, columns: 5)
        var sender = try Self.sender(block: block)
        let taken = Taken(&sender)
        let count = taken.multiplexed.count
        #expect(taken.sent.count == count && count > 100)
        // Sequence numbers say the place in the multiplex.
        func sequence(_ bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
        let first = sequence(taken.multiplexed[0].bytes)
        let places = taken.sent.map { Int(sequence($0.bytes) &- first) }
        let slots = (0..<Int64((count + 19) / 20 * 20)).map { Int(block.place(ofSlot: $0)) }.filter { $0 < count }
        #expect(places == slots)
        #expect(taken.sent.map(\.packet.number) == (0..<UInt32(count)).map { $0 })
        // While the multiplex goes on, turn k is that of the datagram k + 12.
        for turn in 0..<count - block.lead { #expect(taken.sent[turn].at == taken.multiplexed[turn + block.lead].at) }
        for (a, b) in zip(taken.sent, taken.sent.dropFirst()) { #expect(a.at <= b.at) }
    }

    @Test("a program that is stopped sends what had been captured, and a program that never starts has no timeouts")
    func stopping() throws {
        var whole = try Self.sender()
        var stopped = try Self.sender()
        var never = try Self.sender()
        let all = Taken(&whole).sent
        let stop = Self.zero + .seconds(1)
        let some = Taken(&stopped, stopping: stop).sent
        #expect(some.count > 50 && some.count < all.count)
        #expect(some.last.map { $0.at > stop && $0.at < stop + stopped.multiplexer.plan.latency + .seconds(1) } == true)
        #expect(never.nextTimeout == .distantFuture && never.isFinished)
        #expect(never.pollOutput() == nil)
    }
}
