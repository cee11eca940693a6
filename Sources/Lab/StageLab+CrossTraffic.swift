import Results
import Emulator
import Metrics
import NetworkEmulation
import Scenario
import Timebase

extension StageLab {
    /// - Parameter reference: what was asked for, with its files read.
    mutating func crossTraffic(
        _ sources: [CrossTrafficConfiguration], asked: [ExperimentScenario.Link.CrossTraffic],
        reference: [CrossTrafficConfiguration]
    ) {
        guard sources.count == asked.count else { return book.note("other sources than asked for: not judged") }
        for index in sources.indices {
            let (name, source) = ("source \(index)", sources[index])
            switch asked[index].pattern {
            case .poisson(let rate, let length):
                let limits = CountLimits(mean: Double(packets), variance: Double(packets))
                let span = Span(packets: Double(packets), length: length, rate: rate)
                arrivals(name + ", Poisson: rate", source, span, limits.low...limits.high)
            case .constant(let rate, let length):
                let span = Span(packets: Double(packets), length: length, rate: rate)
                arrivals(name + ", constant: rate", source, span, span.packets - 1...span.packets + 1, .exact)
            case .onOff(let flow): onOff(name, source, flow)
            case .trace: recorded(name, source, reference[index].pattern)
            }
        }
    }

    /// The time in which so many packets are to come.
    private struct Span {
        let packets: Double
        /// Of the rate, what is to come.
        var share = 1.0
        let bits: Double
        let rate: Double

        init(packets: Double, length: Int, rate: BitRate) {
            (self.packets, bits, self.rate) = (packets, Double(length) * 8, Double(rate.bitsPerSecond))
        }

        var nanoseconds: Double { packets * bits / rate * 1e9 }
    }

    /// - Parameters:
    ///   - count: how many packets there may be.
    private mutating func arrivals(
        _ what: String, _ source: CrossTrafficConfiguration, _ span: Span, _ count: ClosedRange<Double>,
        _ basis: LabCheck.Basis = .chance
    ) {
        var traffic = CrossTraffic(source.pattern, flow: 1, key: source.key)
        let seconds = span.nanoseconds / span.share / 1e9
        // A second measurement is that of the time behind.
        let begin = Instant(nanoseconds: first > 0 ? Int64(span.nanoseconds / span.share) : 0)
        let end = begin + .nanoseconds(Int64(span.nanoseconds / span.share))
        while traffic.nextTimeout < begin { _ = traffic.send(at: traffic.nextTimeout) }
        var bits = 0.0
        while traffic.nextTimeout < end {
            bits += Double(traffic.send(at: traffic.nextTimeout)?.length ?? 0) * 8
        }
        book.add(
            what, .bitsPerSecond, asked: span.rate * span.share, measured: bits / seconds,
            low: count.lowerBound * span.bits / seconds, high: count.upperBound * span.bits / seconds, basis)
    }

    /// Over many periods: the time that is on has the variance (b² A + a² B) t / (a + b)³, a and b being the means of on
    /// and off and A and B their variances (renewal theory).
    private mutating func onOff(
        _ name: String, _ source: CrossTrafficConfiguration, _ flow: ExperimentScenario.Link.CrossTraffic.OnOff
    ) {
        let (on, off) = (Double(flow.on.nanoseconds), Double(flow.off.nanoseconds))
        // Of a Pareto law m² / (a (a − 2)).
        guard flow.shape.map({ $0 >= 3 }) ?? true else {
            return book.note("\(name), on and off: not judged, the tail of its periods is too heavy")
        }
        let relative = flow.shape.map { 1 / ($0 * ($0 - 2)) } ?? 1
        let share = on / (on + off)
        // A thousand periods, and four times as many packets if that is more than asked for.
        let perPeriod = Double(flow.rate.bitsPerSecond) * on / 1e9 / Double(flow.packet * 8)
        let count = max(Double(packets), min(1_000 * perPeriod, 4 * Double(packets)))
        var span = Span(packets: count, length: flow.packet, rate: flow.rate)
        span.share = share
        let time = span.nanoseconds / share
        guard time > 200 * (on + off) else {
            return book.note("\(name), on and off: not judged, too few periods for \(packets) packets")
        }
        let sum = on + off
        let variance = 2 * on * on * off * off * relative * time / (sum * sum * sum)
        let half = SampleStatistics.meanLimit(variance: variance, count: 1, tail: LabCheck.tail)
        // Off comes first: up to a period at either end is not as in the middle.
        let limit = (half + sum) * Double(flow.rate.bitsPerSecond) / 1e9 / span.bits
        arrivals(name + ", on and off: rate", source, span, max(0, count - limit)...count + limit)
    }

    private mutating func recorded(_ name: String, _ source: CrossTrafficConfiguration, _ asked: ArrivalPattern) {
        guard case .recorded(let list, let period) = asked else { return }
        var traffic = CrossTraffic(source.pattern, flow: 1, key: source.key)
        let count = period == nil ? list.count : max(list.count, packets)
        let wrong = (0..<count).count { number in
            let due = (period ?? .zero) * Int64(number / list.count) + list[number % list.count].at
            let packet = traffic.send(at: traffic.nextTimeout)
            return packet?.time != .zero + due || packet?.length != list[number % list.count].length
        }
        book.exact(name + ": packets otherwise than recorded", .count, asked: 0, measured: Double(wrong))
    }
}
