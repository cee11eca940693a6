@testable import Receiver
import Testing
import Timebase
import Wire

@Suite("Units in the packets of a session")
struct UnitAssemblerTests {
    /// A packet: its number, its timestamp, what it is of its unit.
    struct Given {
        let number: Int64
        let ticks: Int64
        let part: PayloadPart?

        /// `what`: "b" may begin, "B" begins for certain, "e" ends, "x" cannot be read.
        init(_ number: Int64, _ ticks: Int64, _ what: String = "") {
            (self.number, self.ticks) = (number, ticks)
            var part = PayloadPart.plain
            if what.contains("b") { part.beginning = .possible }
            if what.contains("B") { part.beginning = .certain }
            part.ends = what.contains("e")
            self.part = what.contains("x") ? nil : part
        }
    }

    /// Which units were closed, in order, and whether damaged: "7" whole, "7!" damaged.
    private func closed(_ packets: [Given]) -> [String] {
        var assembler = UnitAssembler()
        for packet in packets {
            assembler.take(
                UnitAssembler.Arrival(part: packet.part), ticks: packet.ticks, number: packet.number,
                released: LocalInstant(nanoseconds: packet.number))
        }
        assembler.finish()
        var result: [String] = []
        var begun: [Int64] = []
        while let event = assembler.pollOutput() {
            switch event {
            case .began(let ticks): begun.append(ticks)
            case .closed(let ticks, let unit): result.append("\(ticks)" + (unit.isDamaged ? "!" : ""))
            }
        }
        #expect(begun.count == result.count)
        return result
    }

    @Test func unitsAreWholeWithAllTheirPackets() {
        #expect(closed([Given(0, 7, "b"), Given(1, 7), Given(2, 7, "e"), Given(3, 8, "be")]) == ["7", "8"])
    }

    @Test func aMissingNumberDamagesTheUnitAroundIt() {
        #expect(closed([Given(0, 7, "b"), Given(2, 7, "e"), Given(3, 8, "be")]) == ["7!", "8"])
    }

    /// The marker before the gap has ended the first; the second shows its begin.
    @Test func lostUnitsDamageNobodyElse() {
        #expect(closed([Given(0, 7, "be"), Given(2, 9, "be")]) == ["7", "9"])
    }

    @Test func aLostBeginOrEndIsTheUnitsOwn() {
        #expect(closed([Given(0, 7, "be"), Given(2, 9, "e")]) == ["7", "9!"])
        #expect(closed([Given(0, 7, "b"), Given(2, 9, "be")]) == ["7!", "9"])
    }

    /// What may begin a unit does not where units have delimiters.
    @Test func withDelimitersNothingElseBegins() {
        #expect(closed([Given(0, 7, "Be"), Given(2, 9, "be"), Given(3, 10, "Be")]) == ["7", "9!", "10"])
    }

    /// Where nothing marks the end, the next one's begin just behind does.
    @Test func aUnitWithoutAMarkerEndsWithTheNext() {
        #expect(closed([Given(0, 7, "B"), Given(1, 7), Given(2, 8, "B"), Given(3, 9, "B")]) == ["7", "8", "9!"])
        #expect(closed([Given(0, 7, "B"), Given(2, 9, "Be")]) == ["7!", "9"])
    }

    @Test func whatCannotBeReadDamagesItsUnit() {
        #expect(closed([Given(0, 7, "b"), Given(1, 7, "x"), Given(2, 7, "e")]) == ["7!"])
    }

    @Test func theFirstPacketOfAllMayBeInTheMiddle() { #expect(closed([Given(5, 7), Given(6, 7, "e")]) == ["7!"]) }
}

extension PayloadPart {
    /// The middle of a unit.
    static var plain: PayloadPart {
        // A fragment that is neither the first nor the last of its NAL unit.
        let bytes: [UInt8] = [0x7c, 0x05, 0]
        return (try? PayloadPart(bytes.span.bytes, of: RTPPayloadFormat(.h264), marker: false))!
    }
}

/// Two sessions, of "video" in units of any bytes and of G.711, by hand.
private final class SessionsBench {
    var receiver: SessionsReceiver
    var pool = PacketPool(slotCapacity: 1_500)
    var presented: [(lane: Int, ticks: Int64, at: Int64)] = []
    var closed: [(lane: Int, verdict: UnitVerdict)] = []
    var forgotten: [(lane: Int, verdict: UnitVerdict)] = []
    var discarded: [ReceiverOutput.Discard] = []
    private var sequence: [UInt16] = [0, 0]
    static let formats = [RTPPayloadFormat(.units), RTPPayloadFormat(.pcmu)]

    init(
        delay: TimeSpan = .milliseconds(100), holds: [TimeSpan] = [.zero, .zero], control: LipSyncControl? = nil,
        mayCrash: Bool = false
    ) {
        var configuration = ReceiverConfiguration(playoutDelay: delay, hasRTP: true)
        configuration.mayCrash = mayCrash
        receiver = SessionsReceiver(
            zip(Self.formats, holds).map { SubstreamSession(format: $0, firstHold: $1) }, configuration,
            control: control)
    }

    func crash(at milliseconds: Int64, losesState: Bool) {
        advance(to: milliseconds * 1_000_000)
        receiver.crash()
        drain(at: milliseconds * 1_000_000)
        if losesState { receiver.restart() }
    }

    func advance(to now: Int64) {
        while receiver.nextTimeout.nanoseconds <= now, receiver.nextTimeout != .distantFuture {
            let next = receiver.nextTimeout
            receiver.handleTimeout(pool, at: next)
            drain(at: next.nanoseconds)
        }
    }

    /// Hands over a unit of one packet.
    func receive(lane: Int, timestamp: Int64, at milliseconds: Int64, skipping: UInt16 = 0) {
        advance(to: milliseconds * 1_000_000)
        sequence[lane] += skipping
        let header = RTPHeader(
            payloadType: Self.formats[lane].payloadType, sequenceNumber: sequence[lane],
            timestamp: UInt32(truncatingIfNeeded: timestamp), ssrc: 7, marker: lane == 0)
        sequence[lane] += 1
        let bytes = header.packet(payload: [0, 0, 0, 0, 1])
        let slot = pool.allocate()
        pool.mutableBytes(slot).copyBytes(from: bytes)
        receiver.handle(
            Packet(
                time: .zero, sent: .zero, slot: slot, number: 0, length: UInt16(28 + bytes.count), flow: UInt16(lane)),
            session: lane, pool, at: LocalInstant(nanoseconds: milliseconds * 1_000_000))
        drain(at: milliseconds * 1_000_000)
    }

    func report(lane: Int, timestamp: Int64, shown milliseconds: Int64, at now: Int64) {
        advance(to: now * 1_000_000)
        receiver.take(
            report: UInt32(truncatingIfNeeded: timestamp), shown: LocalInstant(nanoseconds: milliseconds * 1_000_000),
            session: lane, at: LocalInstant(nanoseconds: now * 1_000_000))
    }

    func finish() {
        advance(to: .max - 1)
        receiver.finish()
        drain(at: 0)
        #expect(pool.slotsInUse == 0)
    }

    private func drain(at now: Int64) {
        while let output = receiver.pollOutput() {
            switch output {
            case .released(let packet, _, _): pool.release(packet.slot)
            case .discarded(let packet, let reason):
                pool.release(packet.slot)
                discarded.append(reason)
            case .presented(let lane, let ticks): presented.append((lane, ticks, now / 1_000_000))
            case .closed(let unit): closed.append((unit.lane, unit.verdict))
            case .forgotten(let lane, _, let verdict): forgotten.append((lane, verdict))
            }
        }
    }

    /// When the units of a lane were presented, milliseconds.
    func instants(_ lane: Int) -> [Int64] { presented.filter { $0.lane == lane }.map(\.at) }
}

@Suite("A receiver of sessions")
struct SessionsReceiverTests {
    /// A picture that others refer to comes whole with one that is shown 40 ms before it, and waits for its turn.
    @Test(arguments: [true, false])
    func whatACrashFindsIsGone(losesState: Bool) {
        let bench = SessionsBench(mayCrash: true)
        bench.receive(lane: 0, timestamp: 7_200, at: 10)
        bench.receive(lane: 0, timestamp: 3_600, at: 20)
        bench.receive(lane: 1, timestamp: 0, at: 60)
        bench.crash(at: 80, losesState: losesState)
        #expect(bench.closed.map(\.verdict) == [.onTime, .onTime] && bench.instants(0) == [70])
        #expect(bench.forgotten.map(\.lane) == [0] && bench.forgotten.map(\.verdict) == [.onTime])
        #expect(bench.discarded == [.forgotten])
        // Back, it goes on where it was, or begins as at first.
        bench.receive(lane: 0, timestamp: 90_000, at: 200)
        bench.finish()
        #expect(bench.instants(0) == [70, losesState ? 300 : 1_030] && bench.instants(1).isEmpty)
        #expect(bench.forgotten.count == 1 && bench.closed.count == 3)
    }

    /// 90 kHz and 8 kHz: a unit each 40 ms and each 20 ms; the first comes at 10 and at 30 ms.
    @Test func eachSessionPlaysItsDelayAfterItsFirstDatagram() {
        let bench = SessionsBench()
        bench.receive(lane: 0, timestamp: 0xffff_fff0, at: 10)
        bench.receive(lane: 1, timestamp: 0, at: 30)
        bench.receive(lane: 1, timestamp: 160, at: 140)
        bench.receive(lane: 0, timestamp: 0xffff_fff0 + 3_600, at: 149)
        bench.finish()
        #expect(bench.instants(0) == [110, 150] && bench.instants(1) == [130, 150])
        #expect(bench.closed.allSatisfy { $0.verdict == .onTime } && bench.discarded.isEmpty)
    }

    /// The first datagram is told to be 25 ms early.
    @Test func aHoldPutsTheClockRight() {
        let bench = SessionsBench(holds: [.milliseconds(25), .zero])
        bench.receive(lane: 0, timestamp: 0, at: 10)
        bench.receive(lane: 0, timestamp: 3_600, at: 70)
        bench.finish()
        #expect(bench.instants(0) == [135, 175])
    }

    @Test func whatComesAfterItsTimeIsLate() {
        let bench = SessionsBench()
        bench.receive(lane: 1, timestamp: 0, at: 0)
        bench.receive(lane: 1, timestamp: 160, at: 121)
        bench.finish()
        #expect(bench.discarded == [.late] && bench.instants(1) == [100])
    }

    /// Shown in the order 0, 3, 1, 2: what comes before a picture in the stream is there when that one is shown.
    @Test func picturesInAnOrderOfTheirOwnAreShownByTheirTimes() {
        let bench = SessionsBench()
        for (index, picture) in [Int64(0), 3, 1, 2, 6, 4, 5].enumerated() {
            bench.receive(lane: 0, timestamp: 3_600 * picture, at: 10 + 40 * Int64(index))
        }
        bench.finish()
        #expect(bench.instants(0) == [110, 150, 190, 230, 270, 310, 350])
        #expect(bench.closed.count == 7 && bench.closed.allSatisfy { $0.verdict == .onTime })
    }

    /// Both captured at 0; the sound takes 60 ms more and its reports say so.
    @Test func reportsKeepTheSessionsTogether() {
        let control = LipSyncControl(deadband: .milliseconds(4), longestStep: .milliseconds(40))
        let bench = SessionsBench(control: control)
        bench.receive(lane: 0, timestamp: 0, at: 10)
        bench.receive(lane: 1, timestamp: 0, at: 70)
        bench.report(lane: 0, timestamp: 0, shown: 5_000, at: 80)
        bench.report(lane: 1, timestamp: 0, shown: 5_000, at: 90)
        #expect(bench.receiver.corrections == 1)
        bench.report(lane: 1, timestamp: 800, shown: 5_100, at: 95)
        // 110 by itself, 60 later in two steps of 40 and 20; the sound waits for nobody.
        bench.receive(lane: 0, timestamp: 3_600, at: 100)
        bench.receive(lane: 1, timestamp: 320, at: 110)
        bench.finish()
        #expect(bench.instants(0) == [170, 210] && bench.instants(1) == [170, 210])
        #expect(bench.receiver.corrections == 2)
    }

    /// By the reports the sound was taken 3 ms earlier than its timestamps say: less than the deadband.
    @Test func theDeadbandIsLeftAlone() {
        let bench = SessionsBench(
            control: LipSyncControl(deadband: .milliseconds(4), longestStep: .milliseconds(40)))
        bench.receive(lane: 0, timestamp: 0, at: 10)
        bench.receive(lane: 1, timestamp: 0, at: 10)
        bench.report(lane: 0, timestamp: 0, shown: 5_000, at: 20)
        bench.report(lane: 1, timestamp: 0, shown: 4_997, at: 20)
        #expect(bench.receiver.corrections == 0)
        bench.report(lane: 1, timestamp: 0, shown: 4_990, at: 21)
        #expect(bench.receiver.corrections == 1)
        bench.finish()
    }

    /// What was waited too much is given back, and no more than that.
    @Test func nobodyWaitsLongerThanForTheSlowest() {
        let control = LipSyncControl(deadband: .milliseconds(4), longestStep: .milliseconds(200))
        #expect(
            control.change(waiting: .milliseconds(60), delay: .milliseconds(160), latest: .milliseconds(110))
                == .milliseconds(-50))
        #expect(
            control.change(waiting: .milliseconds(30), delay: .milliseconds(160), latest: .milliseconds(110))
                == .milliseconds(-30))
    }

    @Test func strangersAreDiscarded() {
        let bench = SessionsBench()
        let slot = bench.pool.allocate()
        bench.pool.mutableBytes(slot).copyBytes(
            from: RTPHeader(payloadType: 50, sequenceNumber: 0, timestamp: 0, ssrc: 1).packet(payload: [1]))
        bench.receiver.handle(
            Packet(time: .zero, sent: .zero, slot: slot, number: 0, length: 41, flow: 0), session: 0, bench.pool,
            at: LocalInstant(nanoseconds: 0))
        bench.finish()
        #expect(bench.discarded == [.malformed])
    }
}
