import BasicContainers
import ClockSync
import Metrics
import Receiver
import Timebase

/// Receivers that play together (RFC 7272): what they report of their playout, and what they do with what they are told.
extension World {
    /// When a receiver's latest packet of a session came and is presented, by its disciplined clock.
    func playoutPoint(ofReceiver index: Int, session: Int, at now: Instant) -> MediaStatus.Receiving.Playout? {
        let local = mediaTime(ofNode: 1 + index, at: now)
        let point =
            sessionReceivers.isEmpty
            ? receivers[index].playoutPoint(at: local)
            : sessionReceivers[index].playoutPoint(ofSession: session, at: local)
        guard let point else { return nil }
        let correction = clocks[1 + index].reading(at: now) - local
        return MediaStatus.Receiving.Playout(
            rtpTimestamp: point.timestamp, received: point.arrival + correction,
            presented: point.presentation + correction)
    }

    /// A receiver is told when its disciplined clock will show that a packet is to be presented.
    mutating func playTogether(receiver index: Int, timestamp: UInt32, presented: LocalInstant, at now: Instant) {
        let local = mediaTime(ofNode: 1 + index, at: now)
        let wanted = presented - (clocks[1 + index].reading(at: now) - local)
        if sessionReceivers.isEmpty {
            receivers[index].present(timestamp, at: wanted, from: local)
        } else {
            sessionReceivers[index].present(timestamp, at: wanted, from: local)
        }
        ledger.countSettings()
        rearmReceiver(index)
    }

    /// How far apart receivers play now; nil where it does not matter, or fewer than two do.
    var positionSpread: TimeSpan? { configuration.watchesPositions ? PositionLedger.spread(positions()) : nil }

    /// How receivers played together; nil where they do not.
    var destinationMeasurements: DestinationMeasurements? {
        guard configuration.playsTogether, let seen = ledger.positions else { return nil }
        var result = DestinationMeasurements(settings: ledger.settingsTaken)
        result.positionSpread = seen.spread
        result.finalPositionSpreadNanoseconds = seen.latestSpread?.nanoseconds
        return result
    }
}
