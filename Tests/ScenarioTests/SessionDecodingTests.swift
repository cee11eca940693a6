import Emulator
import Metrics
import Testing
import Timebase
import Wire

@testable import Scenario

/// What is said of units that have sessions of their own, against the datagrams that were lost.
@Suite("What a decoder makes of units in sessions of their own")
struct SessionDecodingTests {
    private struct Course {
        /// By session, the timestamp of each datagram sent.
        var timestamps: [[UInt32]] = [[], []]
        /// By session, the numbers of those that were used.
        var used: [Set<Int>] = [[], []]
        var units: [[UnitRecord]] = [[], []]
        var measured: [SubstreamMeasurements] = []

        /// By unit, in the order of sending, whether all of its datagrams were used, and whether any was.
        func came(_ session: Int) -> [(all: Bool, any: Bool)] {
            var units: [(all: Bool, any: Bool)] = []
            for (number, timestamp) in timestamps[session].enumerated() {
                let isUsed = used[session].contains(number)
                if number > 0, timestamps[session][number - 1] == timestamp, let last = units.last {
                    units[units.count - 1] = (last.all && isUsed, last.any || isUsed)
                } else {
                    units.append((isUsed, isUsed))
                }
            }
            return units
        }
    }

    private func course(_ yaml: String) throws -> Course {
        var world = try SessionsTests.world(yaml) {
            $0.taps.capturesNodes = true
            $0.taps.packets = true
            $0.taps.units = true
        }
        let plan = SessionPlan(world.configuration)
        var course = Course()
        VirtualTime.run(
            &world, shouldStop: { _ in false },
            take: { world, output in
                switch output {
                case .captured(let packet, .sender, _):
                    let port = plan.frame(of: packet).destination.port
                    guard let session = [UInt16(5_004), 5_006].firstIndex(of: port) else { return }
                    let header = Array(world.payload(of: packet)[4..<8])
                    course.timestamps[session].append(header.reduce(0) { $0 << 8 | UInt32($1) })
                case .packet(let record):
                    if record.fate == .used { course.used[record.session].insert(Int(record.number)) }
                case .unit(let record): course.units[record.lane].append(record)
                default: break
                }
            })
        course.measured = world.measurements().substreams
        return course
    }

    @Test(
        "a unit is whole if all of its datagrams came, and a loss is passed on by references",
        arguments: 1...3 as ClosedRange<Int>)
    func units(seed: Int) throws {
        let yaml = SessionsTests.scenario(link: "delay: 20ms, loss: { bernoulli: 0.3% }")
            .replacing("seed: 5", with: "seed: \(seed)")
        let course = try course(yaml)
        for lane in 0...1 {
            let came = course.came(lane)
            let units = course.units[lane]
            #expect(units.count == came.count)
            #expect(units.map { $0.outcome == .onTime || $0.outcome == .late } == came.map(\.all), "seed \(seed)")
            #expect(units.map { $0.outcome == .missing } == came.map { !$0.any }, "seed \(seed)")
            let measured = course.measured[lane]
            #expect(measured.sentUnits == Int64(came.count))
            #expect(
                measured.sentUnits
                    == measured.missing + measured.intact + measured.impaired + measured.undecodable)
        }
        let broken = course.came(0).filter { !$0.all }.count
        #expect(broken > 0 && course.measured[0].impaired > Int64(broken))
        // Frames of sound refer to nothing: those that came are what they were.
        #expect(course.measured[1].intact == Int64(course.came(1).filter(\.all).count))
        #expect(course.measured[1].impaired == 0 && course.measured[1].undecodable == 0)
    }
}
