import Media
import Sender

/// A unit that was sent.
struct SentUnit: Sendable {
    /// In a session of its own, the PES packet that it comes from, with the unit's own times and number.
    let media: MediaUnit
    /// As it is on the wire: its PTS, or in a session of its own the timestamp of its datagrams.
    let timestamp: Int64
    /// What was sent of it: the whole PES packet, or the bytes without one.
    let byteCount: Int
    /// In a session of its own, its datagrams; 0 in a multiplex, whose datagrams are nobody's own.
    let datagramCount: Int

    init(_ unit: MediaUnit) {
        (media, timestamp, byteCount, datagramCount) = (unit, unit.presentation, unit.byteCount, 0)
    }

    init(_ begun: SubstreamSender.BegunUnit) {
        media = begun.unit
        timestamp = Int64(begun.timestamp)
        byteCount = begun.byteCount
        datagramCount = begun.datagramCount
    }

    /// Bytes from its first that have to come for anything of it to be decoded.
    var beginningByteCount: Int {
        let header = datagramCount > 0 ? media.byteCount - media.elementaryByteCount : 0
        return max(0, Int(media.beginningByteCount) - header)
    }
}
