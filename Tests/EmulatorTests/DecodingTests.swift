@testable import Emulator
import Media
import Metrics
import NetworkEmulation
import Receiver
import Sender
import Testing
import Timebase
import Wire

/// What the World says of units, against what follows from the datagrams that were lost and the pattern of the pictures.
@Suite("What a decoder makes of the units")
struct DecodingTests {
    /// The units that lie in each datagram of the multiplex, by lane and number, as its transport packets tell.
    private struct Contents {
        private(set) var datagrams: [Set<[Int]>] = []
        private(set) var counts = [0, 0]

        mutating func add(_ payload: ArraySlice<UInt8>) {
            var units: Set<[Int]> = []
            for start in stride(from: payload.startIndex, to: payload.endIndex, by: 188) {
                let pid = Int(payload[start + 1] & 0x1f) << 8 | Int(payload[start + 2])
                guard (0x100...0x101).contains(pid), payload[start + 3] & 0x10 != 0 else { continue }
                if payload[start + 1] & 0x40 != 0 { counts[pid - 0x100] += 1 }
                units.insert([pid - 0x100, counts[pid - 0x100] - 1])
            }
            datagrams.append(units)
        }
    }

    private struct Course {
        var contents = Contents()
        var used: Set<Int> = []
        var fates: [[UnitRecord]] = [[], []]
        /// By substream: sent, on time, late, damaged, missing, intact, impaired, undecodable.
        var counts: [[Int64]] = []
    }

    private func course(_ configuration: WorldConfiguration) -> Course {
        var configuration = configuration
        configuration.taps.media = true
        configuration.taps.packets = true
        configuration.taps.units = true
        var world = World(configuration)
        var course = Course()
        VirtualTime.run(&world, shouldStop: { _ in false }) { world, output in
            switch output {
            case .sentMedia(let packet):
                course.contents.add(Array(world.payload(of: packet))[world.mediaHeaderLength...])
            case .packet(let record): if record.fate == .used { course.used.insert(Int(record.number)) }
            case .unit(let record): course.fates[record.lane].append(record)
            default: break
            }
        }
        course.counts = world.measurements().substreams.map {
            [$0.sentUnits, $0.onTime, $0.late, $0.damaged, $0.missing, $0.intact, $0.impaired, $0.undecodable]
        }
        return course
    }

    private func experiment(_ seed: UInt64, loss: Double, carriage: Carriage, megabits: UInt64) throws
        -> WorldConfiguration
    {
        var experiment = Experiment(
            seed: seed, duration: .seconds(10), carriage: carriage,
            forward: [Experiment.link("f", seed: seed, loss: loss)], reverse: [])
        experiment.videoRate = BitRate(bitsPerSecond: megabits * 1_000_000)
        experiment.rate = BitRate(bitsPerSecond: megabits * 1_400_000 + 400_000)
        return try experiment.configuration()
    }

    @Test(
        "a unit is whole if all datagrams came that hold bytes of it, whatever its neighbours lost",
        // At 12 Mbit/s I pictures are longer than a PES packet's length can say.
        arguments: [(1, 2, .tsRTP), (2, 12, .tsRTP), (3, 12, .tsUDP), (4, 2, .tsUDP)] as [(UInt64, UInt64, Carriage)])
    func wholeUnits(seed: UInt64, megabits: UInt64, carriage: Carriage) throws {
        let course = course(try experiment(seed, loss: 0.02, carriage: carriage, megabits: megabits))
        var touched: Set<[Int]> = []
        for (number, units) in course.contents.datagrams.enumerated() where !course.used.contains(number) {
            touched.formUnion(units)
        }
        for lane in 0...1 {
            #expect(course.fates[lane].count == course.contents.counts[lane])
            let broken = course.fates[lane].indices.filter {
                course.fates[lane][$0].outcome == .damaged || course.fates[lane][$0].outcome == .missing
            }
            #expect(broken == touched.filter { $0[0] == lane }.map { $0[1] }.sorted(), "seed \(seed) lane \(lane)")
            #expect(broken.count > 5)
        }
        for counts in course.counts {
            #expect(counts[0] == counts[1] + counts[2] + counts[3] + counts[4])
            #expect(counts[0] == counts[4] + counts[5] + counts[6] + counts[7])
        }
    }

    /// A B picture refers to the I or P picture on either side, a P picture to the one before: what is whole together with
    /// all that it so refers to, and nothing else, is intact.
    @Test(
        "pictures are intact if all that the pattern says they refer to came whole",
        arguments: 1...5 as ClosedRange<UInt64>)
    func intactPictures(seed: UInt64) throws {
        let course = course(try experiment(seed, loss: 0.003, carriage: .tsRTP, megabits: 2))
        let pictures = course.fates[0].sorted { $0.presentation < $1.presentation }
        let anchors = pictures.indices.filter { !pictures[$0].isB }
        var isIntact = pictures.map { $0.outcome == .onTime || $0.outcome == .late }
        for (before, anchor) in zip(anchors, anchors.dropFirst()) where pictures[anchor].isP {
            isIntact[anchor] = isIntact[anchor] && isIntact[before]
        }
        for index in pictures.indices where pictures[index].isB {
            let before = anchors.last { $0 < index }
            let after = anchors.first { $0 > index }
            isIntact[index] = isIntact[index] && [before, after].allSatisfy { $0.map { isIntact[$0] } ?? true }
        }
        #expect(pictures.map { $0.state == "intact" } == isIntact, "seed \(seed)")
        let wrong = pictures.filter { $0.state == "impaired" }
        #expect(wrong.count > pictures.filter { $0.outcome == .damaged }.count)
    }

    @Test("until a picture comes that decoding can begin with, none is shown, and the wait for it is a freeze")
    func lostBeginning() throws {
        // The first I picture goes with the first half second: 12 pictures are 480 ms.
        var experiment = Experiment(duration: .seconds(4), forward: [Experiment.link("f")], reverse: [])
        experiment.forward[0].configuration.loss = .listed(try #require(ListedLoss(Array(0..<60))))
        let measured = try run(experiment).measurements
        let video = measured.substreams[0]
        #expect(video.undecodable > 0 && video.missing > 0)
        let freezes = try #require(video.freezes)
        #expect(freezes.count == 1)
        #expect(freezes.longest == .milliseconds(480))
        #expect(video.impaired == 0 && video.intact == 100 - 12)
    }

    @Test("pictures that stand long because they were made so are neither frozen nor out of sync")
    func variableRate() throws {
        var experiment = Experiment(duration: .seconds(12), forward: [Experiment.link("f")], reverse: [])
        experiment.pictures = (0..<50).map { 0.04 * Double($0) } + [2.5, 2.54, 2.58, 6, 6.04, 9.8, 9.84, 11]
        let measured = try run(experiment).measurements
        let pair = try #require(measured.lipSync.first)
        #expect(pair.withinATSCIS191 == 1 && pair.coveredATSCIS191 == pair.coverage)
        let skew = try #require(pair.skew)
        #expect(skew.maximum < 1_000_000 && skew.minimum > -1_000_000)
        #expect(measured.substreams[0].freezes == FreezeMeasurements(count: 0, total: .zero, longest: .zero))
    }

    @Test(
        "units of which bytes were changed on the way are damaged, and no others",
        arguments: 1...4 as ClosedRange<UInt64>)
    func changedUnits(seed: UInt64) throws {
        var link = Experiment.link("f", seed: seed)
        link.configuration.damage = PacketChance(Probability(0.02), key: DrawKey(seed: seed).named("corrupt"))
        let experiment = Experiment(seed: seed, duration: .seconds(10), forward: [link], reverse: [])
        var configuration = try experiment.configuration()
        configuration.receivers[0].takesDamaged = true
        configuration.receivers[0].media.doubtsHeaders = true
        configuration.taps.media = true
        configuration.taps.units = true
        var world = World(configuration)
        var sent: [[UInt8]] = []
        var released: [Int: [UInt8]] = [:]
        var fates: [[UnitRecord]] = [[], []]
        VirtualTime.run(&world, shouldStop: { _ in false }) { world, output in
            switch output {
            case .sentMedia(let packet): sent.append(Array(world.payload(of: packet)))
            case .releasedMedia(let packet, _):
                released[Int(packet.number)] = Array(world.payload(of: packet))
            case .unit(let record): fates[record.lane].append(record)
            default: break
            }
        }
        #expect(released.count > sent.count - 10)
        var (changed, doubtful): (Set<[Int]>, Set<[Int]>) = ([], [])
        var counts = [-1, -1]
        for (number, before) in sent.enumerated() {
            // One whose RTP header was changed may be thrown away, or taken for another one.
            let after = released[number] ?? [UInt8](repeating: 0, count: before.count)
            let isMisplaced = before[..<12] != after[..<12]
            for start in stride(from: 12, to: before.count, by: 188) {
                let pid = Int(before[start + 1] & 0x1f) << 8 | Int(before[start + 2])
                guard (0x100...0x101).contains(pid), before[start + 3] & 0x10 != 0 else { continue }
                if before[start + 1] & 0x40 != 0 { counts[pid - 0x100] += 1 }
                guard isMisplaced || before[start..<start + 188] != after[start..<start + 188] else { continue }
                let hasField = before[start + 3] & 0x20 != 0
                let payload = start + 4 + (hasField ? 1 + Int(before[start + 4]) : 0)
                if !isMisplaced, before[payload..<start + 188] != after[payload..<start + 188] {
                    changed.insert([pid - 0x100, counts[pid - 0x100]])
                } else {
                    // A changed counter or PID breaks a unit, changed stuffing does not.
                    doubtful.formUnion([0, 1].flatMap { lane in [-1, 0, 1].map { [lane, counts[lane] + $0] } })
                }
            }
        }
        #expect(changed.count > 30)
        for lane in 0...1 {
            let broken = fates[lane].indices.filter { ![.onTime, .late].contains(fates[lane][$0].outcome) }
            let certain = Set(changed.subtracting(doubtful).filter { $0[0] == lane }.map { $0[1] })
            let rest = Set(doubtful.filter { $0[0] == lane }.map { $0[1] })
            #expect(Set(broken).subtracting(rest) == certain, "seed \(seed) lane \(lane)")
            if lane == 0 { #expect(certain.count > rest.count) }
        }
    }
}

extension UnitRecord {
    fileprivate var isP: Bool { "\(pictureType)" == "P" }
    fileprivate var isB: Bool { "\(pictureType)" == "B" }
    fileprivate var state: String { "\(decodable)" }
}
