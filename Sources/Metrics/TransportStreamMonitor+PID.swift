import Timebase
import Wire

extension TransportStreamMonitor {
    /// What a PID carries, as far as the tables have said.
    enum Role: UInt8, Sendable {
        case unknown, programAssociation, conditionalAccess, serviceInformation, programMap, audioOrVideo, data
    }

    /// All that is kept of one PID.
    struct PIDState: Sendable {
        // What `take` finds, as bits.
        static let late: UInt8 = 1
        static let discontinuous: UInt8 = 2
        static let scrambled: UInt8 = 4
        static let hasPCR: UInt8 = 8
        static let wantsPayload: UInt8 = 16
        static let isDuplicate: UInt8 = 32

        let pid: UInt16
        var role = Role.unknown
        /// The continuity counter of the packet before; 0xff before the first.
        var counter: UInt8 = 0xff
        /// What tells the packet before, if it had a payload, from others.
        var signature: UInt64 = 0
        /// Whether the packet before had a payload and was not a copy, so that one copy of it may follow.
        var mayRepeat = false
        /// Whether its payload is sections that are to be read.
        var hasSections = false
        /// Its place in `tables`; −1 when it never had sections.
        var table: Int16 = -1
        /// The PID of the map that refers to it; 0 for none.
        var owner: UInt16 = 0
        /// When its last packet passed; before the first, since when it has been awaited.
        var seen: Int64
        /// `seen` as it was before the last packet.
        var seenBefore: Int64
        /// How long it may be silent.
        var silenceLimit = Int64.max
        /// When its last PTS passed.
        var lastPTS = Int64.min
        var lastPCR: Int64 = 0
        var lastPCRInstant = Int64.min
        /// The PCR with which accuracy is compared, where it was, and in which segment.
        var referencePCR: Int64 = 0
        var referencePacket: Int64 = 0
        var referenceSegment: UInt32 = 0
        var hasReference = false

        init(pid: UInt16, seen: Int64) {
            self.pid = pid
            self.seen = seen
            seenBefore = seen
        }

        /// Takes a packet with payload and without adaptation field, when there is nothing else to do for it; if not,
        /// false, and nothing has changed.
        @inline(__always)
        mutating func takePlain(_ next: UInt8, _ signature: UInt64, at instant: Int64) -> Bool {
            guard next == (counter &+ 1) & 15, instant &- seen <= silenceLimit, !hasSections else { return false }
            counter = next
            self.signature = signature
            mayRepeat = true
            seen = instant
            return true
        }

        /// Takes any packet of this PID. What else is to do for it, 0 for nothing.
        mutating func take(_ header: TransportPacketHeader, _ signature: UInt64, at instant: Int64) -> UInt8 {
            var verdict: UInt8 = 0
            seenBefore = seen
            seen = instant
            if instant &- seenBefore > silenceLimit { verdict |= Self.late }
            let next = header.continuityCounter
            let expected = header.hasPayload ? (counter &+ 1) & 15 : counter
            if next != expected {
                verdict |= judgeContinuity(header, isSame: signature == self.signature)
            } else {
                mayRepeat = header.hasPayload
            }
            counter = next
            if header.hasPayload { self.signature = signature }
            if header.scrambling != 0 { verdict |= Self.scrambled }
            if header.hasPCR { verdict |= Self.hasPCR }
            if hasSections || header.payloadUnitStart { verdict |= Self.wantsPayload }
            return verdict
        }

        /// A counter that is not the next one (ISO/IEC 13818-1 §2.4.3.3): the first packet, a legal copy, a jump that was
        /// announced, or an error.
        ///
        /// A copy has the counter and the bytes of the packet before, as far as a signature tells; with other bytes 15
        /// packets are missing. A loss of exactly 16 packets of a PID cannot be told from none, here as in every receiver.
        private mutating func judgeContinuity(_ header: TransportPacketHeader, isSame: Bool) -> UInt8 {
            let isFirst = counter == 0xff
            let isCopy = header.hasPayload && header.continuityCounter == counter && mayRepeat && isSame
            // Two equal packets in a row may be, not three.
            mayRepeat = header.hasPayload && header.continuityCounter != counter
            if isFirst || header.discontinuityIndicator { return 0 }
            return isCopy ? Self.isDuplicate : Self.discontinuous
        }

        /// Lets a packet with errors keep its place in the count, if that was spared: its loss is not an error of its own.
        mutating func skip(_ header: TransportPacketHeader) {
            guard header.hasPayload, header.continuityCounter == (counter &+ 1) & 15 else { return }
            counter = header.continuityCounter
            mayRepeat = false
        }

        mutating func forgetContinuity() {
            counter = 0xff
            mayRepeat = false
        }
    }
}

/// How often each check of TR 101 290 failed; each property is the standard's name.
public struct TransportStreamErrors: Equatable, Sendable {
    var syncLoss: Int64 = 0
    var syncByte: Int64 = 0
    var pat: Int64 = 0
    var pat2: Int64 = 0
    /// Continuity_count_error (TR 101 290 §5.2.1, 1.4).
    public internal(set) var continuity: Int64 = 0
    var pmt: Int64 = 0
    var pmt2: Int64 = 0
    var pid: Int64 = 0
    /// Transport_error (TR 101 290 §5.2.2, 2.1).
    public internal(set) var transport: Int64 = 0
    var crc: Int64 = 0
    var pcr: Int64 = 0
    var pcrRepetition: Int64 = 0
    var pcrDiscontinuity: Int64 = 0
    var pcrAccuracy: Int64 = 0
    var pts: Int64 = 0
    var cat: Int64 = 0

    /// The counters by their names in TR 101 290, in its order.
    ///
    /// - Parameter measuresAccuracy: whether PCR accuracy was judged; if not, its count is nil.
    func named(measuresAccuracy: Bool) -> [(name: String, count: Int64?)] {
        [
            ("TS_sync_loss", syncLoss), ("Sync_byte_error", syncByte), ("PAT_error", pat), ("PAT_error_2", pat2),
            ("Continuity_count_error", continuity), ("PMT_error", pmt), ("PMT_error_2", pmt2), ("PID_error", pid),
            ("Transport_error", transport), ("CRC_error", crc), ("PCR_error", pcr),
            ("PCR_repetition_error", pcrRepetition), ("PCR_discontinuity_indicator_error", pcrDiscontinuity),
            ("PCR_accuracy_error", measuresAccuracy ? pcrAccuracy : nil), ("PTS_error", pts), ("CAT_error", cat),
        ]
    }
}
