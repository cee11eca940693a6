import Analysis
import Capture
import Foundation
import Metrics
import Testing
import Timebase
import Wire

@Suite("Two legs of one stream (SMPTE ST 2022-7)")
struct LegTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A stream on two paths, of which each loses some of it.
    private struct Paths {
        var count = 1500
        /// Nanoseconds from packet to packet.
        var spacing: Int64 = 7_000_000
        var base = 65_000
        var delays: (Int64, Int64) = (4_000_000, 24_000_000)
        var lost: (Set<Int>, Set<Int>) = ([], [])
        /// The timestamp of the first packet.
        var start = 0
        /// The packet with which the numbers begin anew.
        var restart = Int.max
        /// What is sent beside it at the end of each capture.
        var goesOn = false

        func packet(_ index: Int) -> [UInt8] {
            let number = index < restart ? base + index : 900 + index
            return RTPHeader(
                payloadType: 33, sequenceNumber: UInt16(truncatingIfNeeded: number),
                timestamp: UInt32(truncatingIfNeeded: start + index * 630), ssrc: 0x2022_0007
            ).packet(payload: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 200))
        }

        func arrivals(_ delay: Int64, _ lost: Set<Int>) -> [(index: Int, at: Int64)] {
            (0..<count).filter { !lost.contains($0) }.map { ($0, Int64($0) * spacing + delay) }
        }
    }

    private func write(
        _ name: String, _ legs: [(host: UInt8, port: UInt16, arrivals: [(index: Int, at: Int64)])],
        _ paths: Paths
    ) throws -> String {
        let path = folder.path + "/" + name
        let writer = try CaptureWriter(path: path)
        func write(_ bytes: [UInt8], _ host: UInt8, _ port: UInt16, _ time: Int64) throws {
            let frame = UDPFrame(
                source: Endpoint(address: IPv4Address(10, 0, host, 1), port: 4000),
                destination: Endpoint(address: IPv4Address(239, 0, 0, host), port: port))
            try bytes.withUnsafeBytes { try writer.write(frame, payload: $0, at: Instant(nanoseconds: time)) }
        }
        let all = legs.flatMap { leg in leg.arrivals.map { (leg.host, leg.port, $0.index, $0.at) } }
        for (host, port, index, time) in all.sorted(by: { $0.3 < $1.3 }) {
            try write(paths.packet(index), host, port, time)
        }
        if paths.goesOn { try write([1, 2, 3], 9, 9, Int64(paths.count) * paths.spacing + 1_000_000_000) }
        try writer.close()
        return path
    }

    private func measure(_ paths: Paths, holds: [TimeSpan] = CaptureAnalysis.usualHolds, clock: Int64 = 0) throws
        -> LegMeasurements
    {
        let one = paths.arrivals(paths.delays.0, paths.lost.0)
        let other = paths.arrivals(paths.delays.1 + clock, paths.lost.1)
        let analysis = try CaptureAnalysis(
            legs: [write("a.pcap", [(1, 5000, one)], paths), write("b.pcap", [(2, 6000, other)], paths)], holds: holds)
        #expect(analysis.inputs.count == 2 && analysis.streams.map(\.id) == ["s1", "s2"])
        #expect(analysis.legs.count == 1)
        return try #require(analysis.legs.first)
    }

    /// So many of a hundred, not the first and the last.
    private func losses(_ percent: UInt64, _ name: UInt64, of count: Int) -> Set<Int> {
        let key = DrawKey(seed: name)
        return Set((1..<count - 1).filter { key.draw(Int64($0)) % 100 < percent })
    }

    @Test(
        "Each leg's losses, those of both, the skew and what each hold saves",
        arguments: [(1, 1, 20), (5, 30, 3), (30, 5, -45), (2, 0, 110), (50, 50, 0)] as [(UInt64, UInt64, Int64)],
        [7_000_000, 400_000, 33_366_667] as [Int64])
    func merged(rates: (UInt64, UInt64, Int64), spacing: Int64) throws {
        var paths = Paths()
        paths.spacing = spacing
        paths.lost = (losses(rates.0, 1, of: paths.count), losses(rates.1, 2, of: paths.count))
        let skew = rates.2 * 1_000_000
        paths.delays = (5_000_000 + max(0, -skew), 5_000_000 + max(0, skew))
        let legs = try measure(paths)
        let both = paths.lost.0.intersection(paths.lost.1)
        #expect(legs.expected == Int64(paths.count))
        #expect(legs.legs.map(\.lost) == [Int64(paths.lost.0.count), Int64(paths.lost.1.count)])
        #expect(legs.legs.map(\.unique) == legs.legs.map { Int64(paths.count) - $0.lost })
        #expect(legs.lost == Int64(both.count))
        #expect(legs.lossRuns.reduce(0) { $0 + $1.length * $1.count } == legs.lost)
        let measured = try #require(legs.skew)
        #expect(measured.minimum == skew && measured.maximum == skew)
        // The earlier leg's losses have to be waited for as long as the other is behind, the later leg's not at all.
        let early = Int64((skew > 0 ? paths.lost.0 : paths.lost.1).subtracting(both).count)
        let single = Int64(paths.lost.0.symmetricDifference(paths.lost.1).count)
        #expect(legs.wait.map(\.count) ?? 0 == single)
        for hold in legs.holds {
            let late = hold.hold.nanoseconds < abs(skew) ? early : 0
            #expect(hold.late == late && hold.saved == single - late && hold.lost == legs.lost + late)
        }
        #expect(legs.notes.isEmpty)
    }

    @Test("Captures with clocks of their own count the same, and say so", arguments: [3_600, -86_400] as [Int64])
    func otherClocks(seconds: Int64) throws {
        var paths = Paths()
        paths.lost = (losses(3, 3, of: paths.count), losses(4, 4, of: paths.count))
        let legs = try measure(paths, clock: seconds * 1_000_000_000)
        #expect(legs.legs.map(\.lost) == [Int64(paths.lost.0.count), Int64(paths.lost.1.count)])
        #expect(legs.lost == Int64(paths.lost.0.intersection(paths.lost.1).count))
        #expect(legs.skew?.maximum == 20_000_000 + seconds * 1_000_000_000)
        #expect(legs.notes.contains { $0.contains("clocks may differ") })
    }

    @Test("The same numbers with other timestamps are other packets", arguments: [630, -90_000, 1])
    func strangers(by ticks: Int) throws {
        let paths = Paths()
        var others = paths
        others.start = ticks
        let analysis = try CaptureAnalysis(
            legs: [
                write("a.pcap", [(1, 5000, paths.arrivals(0, []))], paths),
                write("b.pcap", [(2, 6000, others.arrivals(9_000_000, []))], others),
            ], holds: CaptureAnalysis.usualHolds)
        let legs = try #require(analysis.legs.first)
        #expect(legs.skew == nil && legs.holds.isEmpty)
        #expect(legs.notes.contains { $0.hasPrefix("1500 packets have another timestamp") })
    }

    @Test("A new beginning on both legs is no loss", arguments: [400, 1200], [0, 5] as [UInt64])
    func restart(place: Int, percent: UInt64) throws {
        var paths = Paths()
        (paths.base, paths.restart) = (20_000, place)
        paths.lost = (losses(percent, 5, of: paths.count), losses(percent, 6, of: paths.count))
        let around = Set(place - 3...place + 3)
        paths.lost = (paths.lost.0.subtracting(around), paths.lost.1.subtracting(around))
        let legs = try measure(paths)
        #expect(legs.legs.map(\.lost) == [Int64(paths.lost.0.count), Int64(paths.lost.1.count)])
        #expect(legs.lost == Int64(paths.lost.0.intersection(paths.lost.1).count))
    }

    @Test(
        "A leg that breaks loses all from there, when its capture goes on; else nobody knows", arguments: [true, false])
    func broken(goesOn: Bool) throws {
        var paths = Paths()
        paths.goesOn = goesOn
        paths.lost.0 = Set(700..<paths.count)
        let legs = try measure(paths)
        #expect(legs.legs[0].lost == (goesOn ? 800 : 0) && legs.lost == 0)
        #expect(legs.notes.contains { $0.hasPrefix("800 packets of one leg are left out") } == !goesOn)
        // 20 ms behind: the broken leg's place is known from before.
        if goesOn { #expect(legs.wait?.minimum == 20_000_000 && legs.wait?.maximum == 20_000_000) }
    }

    @Test(
        "An outage of a leg that comes back, of more numbers than a new beginning is told by",
        arguments: [500, 5000, 40_000])
    func outage(length: Int) throws {
        var paths = Paths()
        (paths.count, paths.spacing) = (length + 2000, 300_000)
        paths.lost.1 = Set(1000..<1000 + length)
        let legs = try measure(paths, holds: [.milliseconds(19), .milliseconds(20)])
        #expect(legs.legs.map(\.lost) == [0, Int64(length)] && legs.lost == 0)
        #expect(legs.holds.map(\.late) == [0, 0])
    }

    @Test("Both paths in one capture")
    func oneCapture() throws {
        var paths = Paths()
        paths.lost = ([10, 11, 500], [500, 900])
        let path = try write(
            "both.pcap",
            [
                (1, 5000, paths.arrivals(paths.delays.0, paths.lost.0)),
                (2, 5000, paths.arrivals(paths.delays.1, paths.lost.1)),
            ],
            paths)
        let legs = try #require(CaptureAnalysis(legs: [path]).legs.first)
        #expect(legs.legs.map(\.lost) == [3, 2] && legs.lost == 1 && legs.lossRuns.map(\.length) == [1])
    }

    @Test("Streams of which only one leg has any are not compared")
    func strangers() throws {
        let paths = Paths()
        let path = try write("a.pcap", [(1, 5000, paths.arrivals(0, []))], paths)
        let empty = try write("b.pcap", [], paths)
        let analysis = try CaptureAnalysis(legs: [path, empty])
        #expect(analysis.legs.isEmpty && analysis.notes.contains { $0.hasPrefix("no RTP stream is on both legs") })
    }
}
