import Foundation
@testable import Receiver
import Testing
import Timebase

/// A stream of a datagram each 40 ms and a report each 5 s, over a delay of 20 ms and what exponentially distributed delays
/// of 2 ms in the mean add, to a receiver whose clock gains, all in exact arithmetic of the test's own.
private struct Drift {
    var partsPerMillion: Int64
    var method: ClockRecovery
    /// The buffer's delay.
    var delay = TimeSpan.milliseconds(60)
    let period: Int64 = 40_000_000
    /// True release less true sending, of each datagram in time, in nanoseconds.
    private(set) var delays: [Int64] = []
    private(set) var late: [Int64] = []
    private(set) var underruns: Int64 = 0

    init(_ partsPerMillion: Int64, _ method: ClockRecovery, seconds: Int64) {
        (self.partsPerMillion, self.method) = (partsPerMillion, method)
        run(seconds)
    }

    /// What the receiver's clock shows.
    private func local(_ time: Int64) -> LocalInstant {
        LocalInstant(nanoseconds: 5_000_000_000 + time + time / 1_000_000 * partsPerMillion)
    }

    private func jitter(_ number: Int64) -> Int64 {
        let tail = (Double(DrawKey(seed: 7).draw(number) >> 11) + 0.5) * 0x1p-53
        return Int64(-2e6 * log(tail))
    }

    private mutating func run(_ seconds: Int64) {
        var follower = ClockFollower(method)
        var buffer = PlayoutBuffer(delay: delay, latePolicy: .drop)
        for number in 0..<(seconds * 1_000_000_000 / period) {
            let sent = number * period
            if number % 125 == 60 {
                let arrival = local(sent + 21_000_000 + jitter(-number))
                follower.add(report: .nanoseconds(sent), arrival: arrival)
            }
            let arrival = local(sent + 20_000_000 + jitter(number))
            let datagram = MediaDatagram(
                packet: Packet(time: .zero, sent: .zero, slot: 0, number: UInt32(number), length: 100, flow: 0),
                number: number,
                sourceTime: .nanoseconds(sent), arrival: arrival)
            if method != .none {
                buffer.setAnchor(follower.add(sourceTime: .nanoseconds(sent), arrival: arrival))
            }
            while let entry = buffer.pollOutput(at: arrival) { released(entry) }
            if case .late = buffer.handle(datagram) { late.append(sent) }
        }
        underruns = buffer.underruns
    }

    private mutating func released(_ entry: PlayoutBuffer.Entry) {
        let shown = entry.release.nanoseconds - 5_000_000_000
        let time = Int64((Double(shown) / (1 + Double(partsPerMillion) * 1e-6)).rounded())
        delays.append(time - entry.number * period)
    }

    /// What the delay gains an hour, nanoseconds, by least squares over the minutes from the tenth on.
    var slopeAnHour: Double {
        var (count, sumX, sumY, square, product) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for minute in 10..<delays.count / 1_500 {
            let sum = delays[minute * 1_500..<(minute + 1) * 1_500].reduce(0, +)
            let (x, y) = (Double(minute) / 60, Double(sum) / 1_500)
            count += 1
            sumX += x
            sumY += y
            square += x * x
            product += x * y
        }
        return (count * product - sumX * sumY) / (count * square - sumX * sumX)
    }
}

@Suite("Receivers that follow the sender's clock")
struct ClockRecoveryTests {
    @Test(
        "10 hours at 100 ppm: no underrun and less than 1 ms an hour",
        arguments: [ClockRecovery.clockReferences, .windowMinimum, .senderReports], [100, -100] as [Int64])
    func tenHours(method: ClockRecovery, partsPerMillion: Int64) {
        let run = Drift(partsPerMillion, method, seconds: 36_000)
        #expect(run.underruns == 0 && run.late.isEmpty)
        #expect(abs(run.slopeAnHour) < 1e6, "\(run.slopeAnHour) ns an hour")
        // Nothing is but shifted by so much that the delay of the first datagram was not what the method goes by.
        #expect(run.delays.allSatisfy { (65_000_000...110_000_000).contains($0) })
    }

    @Test(
        "without, a fast receiver is late by itself once its clock has gained the buffer less the jitter, a slow one holds more",
        arguments: [100, 40] as [Int64])
    func withoutRecovery(partsPerMillion: Int64) throws {
        let run = Drift(partsPerMillion, .none, seconds: 3_000)
        // Each datagram is late by itself that is delayed by more than what is left: at 60 ms less the first one's jitter.
        let first = try #require(run.late.first)
        let margin = try #require(run.delays.first) - 20_000_000
        // The largest of some 10,000 jitters, 2 ms x ln 10,000 = 18 ms, meets the release first.
        let earliest = (Double(margin) - 2e6 * log(Double(margin) / 1e9 * 1e6 / Double(partsPerMillion) * 25)) * 1e6
        #expect(Double(first) * Double(partsPerMillion) > earliest * 0.9)
        #expect(Double(first) * Double(partsPerMillion) < Double(margin) * 1e6)
        let slow = Drift(-partsPerMillion, .none, seconds: 3_000)
        #expect(slow.late.isEmpty && slow.underruns == 0)
        #expect(abs(slow.slopeAnHour / (Double(partsPerMillion) * 3.6e6) - 1) < 0.01)
    }

    @Test("the loop answers a clock that gains as a loop of second order does")
    func loop() {
        // Critically: e(t) = Δ / ω_d · exp(-ζ ω_n t) · sin(ω_d t) with ζ = 1/√2.
        var loop = PhaseLockedLoop()
        let natural = 2 * Double.pi * 0.01
        let damped = natural / 2.0.squareRoot()
        for number in 0...10_000 {
            let time = Double(number) * 0.01
            let delta = TimeSpan.nanoseconds(Int64(100_000 * time))
            let phase = loop.add(delta, at: LocalInstant(nanoseconds: Int64(number) * 10_000_000))
            let expected = 100_000 / damped * exp(-damped * time) * sin(damped * time)
            #expect(abs(Double((delta - phase).nanoseconds) - expected) < 0.01 * 100_000 / damped)
        }
    }

    @Test("the window's least is taken in as its constants say")
    func window() {
        var window = WindowMinimum()
        // 100 datagrams 20 ms apart fill two seconds; the share is by time, in whole hundredths.
        #expect(window.add(.nanoseconds(1_000_000), at: .zero) == .zero)
        // A hundredth of the time, squared: 1 / 10,000 of the way.
        #expect(window.add(.nanoseconds(1_000_000), at: .milliseconds(20)) == .nanoseconds(100))
        // Half: a quarter of the way from 100 ns.
        #expect(window.add(.nanoseconds(1_000_000), at: .seconds(1)) == .nanoseconds(250_075))
        #expect(window.add(.nanoseconds(3_000_000), at: .seconds(2)) == .nanoseconds(250_075))
        // Full, four values: each new one puts the oldest out, and moves by a 125th.
        #expect(
            window.add(.nanoseconds(2_000_000), at: .milliseconds(2_020))
                == .nanoseconds((1_000_000 + 124 * 250_075) / 125))
        var skew: Int64 = (1_000_000 + 124 * 250_075) / 125
        skew = (1_000_000 + 124 * skew) / 125
        #expect(window.add(.nanoseconds(2_500_000), at: .milliseconds(2_040)) == .nanoseconds(skew))
        // The last of the three that were 1 ms goes: the least is 2 ms.
        skew = (2_000_000 + 124 * skew) / 125
        #expect(window.add(.nanoseconds(2_500_000), at: .milliseconds(2_060)) == .nanoseconds(skew))
    }

    @Test("a line through reports says nothing until eight have come, and then what the clock has gained")
    func reports() {
        var line = ReportLine()
        for number in 0..<20 as Range<Int64> {
            let arrival = LocalInstant(nanoseconds: 77_000_000_000 + number * 5_000_000_000)
            line.add(LocalInstant(nanoseconds: 1_000 + number * 250_000), at: arrival)
            let gained = line.value(at: arrival + .seconds(2))
            #expect(gained == (number < 7 ? .zero : .nanoseconds(number * 250_000 + 100_000)))
        }
    }

    @Test("a datagram that is far off says nothing; of many in a row a clock has jumped, and all begins anew")
    func jumps() {
        var follower = ClockFollower(.windowMinimum)
        func zero(_ number: Int64, late: Int64 = 0) -> LocalInstant {
            follower.add(
                sourceTime: .milliseconds(number * 20), arrival: LocalInstant(nanoseconds: number * 20_000_000 + late))
        }
        #expect(zero(0, late: 3).nanoseconds == 3)
        for number in 1...200 as ClosedRange<Int64> {
            #expect(zero(number, late: number % 13 == 0 ? 1_500_000_000 : 3).nanoseconds == 3)
        }
        for number in 201...216 as ClosedRange<Int64> { #expect(zero(number, late: -2_000_000_000).nanoseconds == 3) }
        for number in 217...400 as ClosedRange<Int64> {
            #expect(zero(number, late: -2_000_000_000).nanoseconds == -2_000_000_000)
        }
    }
}
