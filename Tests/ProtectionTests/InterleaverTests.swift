@testable import Protection
import Testing
import Timebase

private func packet(_ place: Int) -> Packet {
    Packet(time: .zero, sent: .zero, slot: UInt32(place), number: 0, length: 100, flow: 0)
}

/// What leaves an interleaver, in its order: the place, and the turn from the first write on.
private func sent(_ block: InterleavingBlock, count: Int) -> [(place: Int, turn: Int)] {
    var interleaver = BlockInterleaver(block)
    var result: [(place: Int, turn: Int)] = []
    for place in 0..<count {
        if let packet = interleaver.write(packet(place)) { result.append((Int(packet.slot), place)) }
    }
    while let (packet, turns) = interleaver.drain() { result.append((Int(packet.slot), count - 1 + turns)) }
    return result
}

@Suite("Block interleaver")
struct InterleaverTests {
    static let sizes = Array(2...20)

    @Test("what is written by rows is sent by columns")
    func order() {
        let block = InterleavingBlock(rows: 2, columns: 3)
        #expect(sent(block, count: 12).map(\.place) == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
        #expect(sent(block, count: 12).map(\.turn) == Array(2..<14))
        // Places 10 and 11 were never written: their turns pass.
        #expect(sent(block, count: 10).map(\.place) == [0, 3, 1, 4, 2, 5, 6, 9, 7, 8])
        #expect(sent(block, count: 10).map(\.turn) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 12])
    }

    @Test("slot and place are each other's inverse, all blocks from 2 × 2 to 20 × 20", arguments: sizes)
    func inverse(rows: Int) {
        for columns in Self.sizes {
            let block = InterleavingBlock(rows: rows, columns: columns)
            let slots = (0..<Int64(3 * block.count)).map { block.slot(ofPlace: $0) }
            #expect(Set(slots).count == slots.count)
            #expect(slots.enumerated().allSatisfy { block.place(ofSlot: $1) == Int64($0) })
            // Each block keeps to itself.
            #expect(slots.enumerated().allSatisfy { Int($1) / block.count == $0 / block.count })
        }
    }

    @Test("a burst of b leaves at most ⌈b / rows⌉ losses in any row, and every bound is met", arguments: sizes)
    func bursts(rows: Int) {
        for columns in Self.sizes {
            let block = InterleavingBlock(rows: rows, columns: columns)
            // Three blocks: bursts across a border, too, of every length up to a whole block and a half.
            let rowOfSlot = (0..<Int64(3 * block.count)).map { Int(block.place(ofSlot: $0)) / columns }
            var exceeded = 0
            var met = 0
            let lengths = 1...(block.count + block.count / 2)
            for length in lengths {
                let bound = min(columns, (length + rows - 1) / rows)
                var losses = Array(repeating: 0, count: 3 * rows)
                for row in rowOfSlot[..<length] { losses[row] += 1 }
                var worst = losses.max() ?? 0
                for start in 0..<block.count {
                    losses[rowOfSlot[start]] -= 1
                    let row = rowOfSlot[start + length]
                    losses[row] += 1
                    worst = max(worst, losses[row])
                }
                if worst > bound { exceeded += 1 }
                if worst == bound { met += 1 }
            }
            #expect(exceeded == 0 && met == lengths.count, "\(rows) × \(columns)")
        }
    }

    @Test("no datagram is held for more than 2 (R − 1)(C − 1) others, and some for none", arguments: sizes)
    func latency(rows: Int) {
        for columns in Self.sizes {
            let block = InterleavingBlock(rows: rows, columns: columns)
            let count = 3 * block.count
            let held = sent(block, count: count).map { $0.turn - $0.place }
            #expect(held.count == count)
            #expect(held.max() == 2 * (rows - 1) * (columns - 1) && held.min() == 0, "\(rows) × \(columns)")
            #expect(sent(block, count: count).allSatisfy { block.hold(ofPlace: Int64($0.place)) == $0.turn - $0.place })
        }
    }

    @Test("the latency of well-known blocks", arguments: [(4, 4, 18), (5, 10, 72), (10, 10, 162)])
    func knownLatency(rows: Int, columns: Int, datagrams: Int) {
        let block = InterleavingBlock(rows: rows, columns: columns)
        // Released so many datagrams after their places, all are there; one less, and one is not.
        let delays = sent(block, count: 4 * block.count).map { $0.turn - $0.place }
        #expect(delays.allSatisfy { $0 <= datagrams })
        #expect(delays.contains { $0 > datagrams - 1 })
        #expect(2 * block.lead == datagrams)
    }

    @Test(
        "whatever the stream's length, each datagram is sent once, in its own turn",
        arguments: [(2, 2), (3, 5), (7, 4)])
    func partialBlocks(rows: Int, columns: Int) {
        let block = InterleavingBlock(rows: rows, columns: columns)
        for count in 0...(3 * block.count + 1) {
            let sent = sent(block, count: count)
            #expect(sent.map(\.place).sorted() == Array(0..<count))
            #expect(sent.map(\.turn) == sent.map(\.turn).sorted() && Set(sent.map(\.turn)).count == count)
            #expect(sent.allSatisfy { $0.turn - $0.place == block.hold(ofPlace: Int64($0.place)) })
        }
    }

    @Test("the receiver knows each hold from the sequence number, whichever comes first, across the wrap")
    func deinterleaver() {
        let block = InterleavingBlock(rows: 5, columns: 10)
        let configuration = InterleavingConfiguration(
            block: block, leastSpan: .milliseconds(144), longestSpan: .milliseconds(160))
        let deinterleaver = BlockDeinterleaver(configuration, firstSequenceNumber: 65_500)
        #expect(deinterleaver.span == .milliseconds(160) && deinterleaver.reach == 72)
        for (place, turn) in sent(block, count: 1_000) {
            let number = UInt16(truncatingIfNeeded: 65_500 + place)
            #expect(deinterleaver.hold(sequenceNumber: number) == .milliseconds(2 * Int64(turn - place)))
        }
    }
}
