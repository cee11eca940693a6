import Metrics
import Timebase
import Wire

/// Where captures were made, as round trips by RTCP tell it: those that the capture sees begin and end at the capture
/// point, so that only beside the sender they are of the whole way.
enum RoundTripPlace {
    /// What is beside a host is no farther from it.
    private static let beside: Int64 = 1_000_000

    /// Names the place for each stream that has round trips, and leaves out those of a part of the way.
    static func name(_ streams: inout [StreamMeasurements]) {
        let there = streams.map { $0.rtcp?.roundTrip?.quantile(0.5) }
        for index in streams.indices {
            guard let forth = there[index] else { continue }
            let back = streams.indices.first { other in
                there[other] != nil && streams[other].source.address == streams[index].destination.address
                    && streams[other].destination.address == streams[index].source.address
            }.flatMap { there[$0] }
            let place = place(forth, back, streams[index].rtcp?.leastReportAge)
            streams[index].rtcp?.place = place
            if let note = note(place, forth, back) { streams[index].notes.append(note) }
            if place == .receiver || place == .between { streams[index].rtcp?.roundTrip = nil }
        }
    }

    /// - Parameters:
    ///   - forth: from the capture to the receiver and back, nanoseconds.
    ///   - back: from the capture to the sender and back, where the receiver sends media and reports, too.
    ///   - age: how old the sender's reports were at least by the capture's clock.
    private static func place(_ forth: Int64, _ back: Int64?, _ age: TimeSpan?) -> RTCPMeasurements.Place {
        if forth < beside { return .receiver }
        if let back { return back < beside || back * 20 < forth ? .sender : .between }
        // The capture has the sender's own clock.
        if let age, age >= .zero, age.nanoseconds < beside { return .sender }
        return .unknown
    }

    private static func note(_ place: RTCPMeasurements.Place, _ forth: Int64, _ back: Int64?) -> String? {
        func milliseconds(_ span: Int64) -> String { "\(span / 1_000_000).\(span / 100_000 % 10) ms" }
        switch place {
        case .sender: return nil
        case .receiver:
            return "no round trip: the capture was made beside the receiver, less than 1 ms from it and back"
        case .between:
            return
                "no round trip: the capture was made between the ends, \(milliseconds(forth)) from the receiver and back"
                + (back.map { " and \(milliseconds($0)) from the sender and back" } ?? "")
        case .unknown:
            return
                "round trip from the capture point to the receiver and back: where it lies between the ends is not known"
        }
    }
}
