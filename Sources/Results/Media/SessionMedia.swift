import DequeModule
import Emulator
import Media
import Sender
import Wire

/// What files need to know of sessions whose bytes they take: formats, and what timestamps mean.
final class SessionMedia {
    let formats: [RTPPayloadFormat]
    /// By session and timestamp, those of the latest units.
    private var units: [[Int64: MediaUnit]]
    private var order: [Deque<Int64>]
    /// Units kept of each session: a quarter of an hour of packets of 20 ms.
    private static let capacity = 1 << 16

    /// Nil of a multiplex.
    init?(_ configuration: WorldConfiguration) {
        guard let sessions = configuration.sessions else { return nil }
        formats = sessions.plan.sessions.map(\.format)
        units = formats.map { _ in [:] }
        order = formats.map { _ in [] }
    }

    func add(_ unit: BegunUnit) {
        if units[unit.lane].updateValue(unit.media, forKey: unit.timestamp) == nil {
            order[unit.lane].append(unit.timestamp)
        }
        guard order[unit.lane].count > Self.capacity, let oldest = order[unit.lane].popFirst() else { return }
        units[unit.lane][oldest] = nil
    }

    func unit(_ session: Int, _ timestamp: UInt32) -> MediaUnit? { units[session][Int64(timestamp)] }
}
