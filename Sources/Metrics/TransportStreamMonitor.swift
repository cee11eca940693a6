import Timebase
import Wire

/// Watches a transport stream pass one point: the checks of ETSI TR 101 290 v1.4.1, priorities 1 and 2, that need no
/// decoder model, the intervals between PCRs, and for streams of constant rate the PCRs' accuracy.
///
/// A gap that is longer than allowed counts once, when it ends or when the stream does. After a sync loss nothing else is
/// judged until the stream is in sync again, and nothing is read from packets with transport_error_indicator, both as
/// the report wants. Memory is constant: 64 PIDs are followed; packets of others are counted in ``packets`` alone.
public struct TransportStreamMonitor: Sendable {
    /// Limits of TR 101 290 v1.4.1 §5.2.1 and §5.2.2, and of sync (§5.2.1, 1.1).
    enum Limit {
        static let tableInterval = TimeSpan.milliseconds(500)
        /// For audio and video; data streams may be silent.
        static let pidInterval = TimeSpan.seconds(5)
        static let pcrInterval = TimeSpan.milliseconds(100)
        static let pcrAccuracy = TimeSpan.nanoseconds(500)
        static let ptsInterval = TimeSpan.milliseconds(700)
        /// Wrong sync bytes in a row that lose the sync, and right ones that bring it back.
        static let syncLoss = 2
        static let syncFound = 5
    }

    /// PIDs followed at most.
    static let trackedPIDs = 64
    /// In `index`: a PID that is not followed.
    static let untracked: UInt8 = .max

    /// Packets taken, those with errors too.
    var packets: Int64 = 0
    /// How often each check failed.
    public internal(set) var errors = TransportStreamErrors()
    /// Longest time between the passing of two PCRs of a PID.
    var pcrIntervalMaximum: TimeSpan?
    /// PCR less what it should be at its place in a stream of constant rate, from each PID's first PCR on, nanoseconds;
    /// from the next PCR anew after anything was lost.
    public internal(set) var pcrAccuracy: Histogram

    /// The stream's constant rate; nil when it is not constant or not known.
    let constantRate: Int64?
    /// The places in `states` of the PIDs that are followed, each PID in the first free slot from that of its hash on;
    /// `untracked` in the others, at least half. A slot for every PID there is was rejected for its 8 kB.
    var index: [UInt8]
    var states: [PIDState] = []
    var tables: [TableWatch] = []
    /// Goes up where bytes are missing: places before and after cannot be compared.
    var segment: UInt32 = 0
    var first = Instant.zero
    var last = Instant.zero
    /// Packets that passed before `last`.
    var packetsBeforeLast: Int64 = 0
    /// Whether the packet before had a wrong sync byte, or the stream is out of sync.
    var isWatchful = false
    var isSynchronized = true
    var wrongSyncBytes = 0
    var rightSyncBytes = 0
    var hasConditionalAccessTable = false
    var hasReportedScrambling = false

    /// - Parameters:
    ///   - constantRate: the rate of the transport stream, all its packets counted, when it is constant.
    ///   - accuracyCuts: numbers at which PCR accuracy is counted exactly, nanoseconds.
    public init(constantRate: BitRate? = nil, accuracyCuts: [Int64] = []) {
        pcrAccuracy = Histogram(cuts: accuracyCuts)
        self.constantRate = constantRate.flatMap { $0.bitsPerSecond > 0 ? Int64(exactly: $0.bitsPerSecond) : nil }
        index = Array(repeating: Self.untracked, count: Self.trackedPIDs * 2)
        states.reserveCapacity(8)
    }

    /// Takes the packet of 188 bytes at `offset`; the bytes need not be a valid packet. Without 188 bytes nothing is done.
    ///
    /// - Parameter instant: when it passes; not before the packet before it.
    public mutating func add(_ bytes: RawSpan, at offset: Int, instant: Instant) {
        guard offset >= 0, offset <= bytes.byteCount &- TransportPacket.length else { return }
        addChecked(bytes, at: offset, instant: instant)
    }

    /// Takes all whole packets of a datagram, the first of them at `offset`; cheaper than one by one.
    public mutating func add(packetsIn bytes: RawSpan, from offset: Int, instant: Instant) {
        guard offset >= 0 else { return }
        var offset = offset
        // A row of packets that only go on: the four bytes with which the next of them begins, and whose they are. The
        // row is settled with its PID's state when anything else comes.
        var row: UInt32 = 0
        var place = 0
        while offset <= bytes.byteCount &- TransportPacket.length {
            let word = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
            if word == row {
                packets &+= 1
                row = Self.successor(of: word)
            } else {
                if row != 0 { settle(row, place, at: instant) }
                addChecked(bytes, at: offset, instant: instant)
                row = 0
                if let found = placeOfRow(beginningWith: word) {
                    place = found
                    row = Self.successor(of: word)
                }
            }
            offset &+= TransportPacket.length
        }
        if row != 0 { settle(row, place, at: instant) }
    }

    /// The first four bytes of the packet that goes on after one that begins with `word`.
    private static func successor(of word: UInt32) -> UInt32 { word & ~15 | (word &+ 1) & 15 }

    /// The state of the PID of a packet that has just been taken, if the packets behind it may go on without a look.
    private func placeOfRow(beginningWith word: UInt32) -> Int? {
        guard word & 0xffc0_00f0 == 0x4700_0010, !isWatchful else { return nil }
        let pid = UInt16(truncatingIfNeeded: word &>> 8 & 0x1fff)
        guard pid != TransportPacket.nullPID else { return nil }
        let place = place(of: pid)
        guard place < states.count else { return nil }
        return states[place].hasSections || states[place].counter != UInt8(word & 15) ? nil : place
    }

    private mutating func settle(_ row: UInt32, _ place: Int, at instant: Instant) {
        states[place].counter = UInt8((row &- 1) & 15)
        states[place].mayRepeat = true
        states[place].seen = instant.nanoseconds
    }

    /// Says that bytes are missing here, as the numbers of the datagrams around tell: PCR accuracy is judged anew from
    /// the next PCR on. What continuity counters show is found without.
    public mutating func noteMissingBytes() { segment &+= 1 }

    /// Counts the gaps that the end of the stream leaves open.
    ///
    /// - Parameter end: up to when times are known, where those of packets behind it are a guess; nil: to the last packet.
    public mutating func finish(at end: Instant? = nil) {
        guard packets > 0 else { return }
        let end = min(end ?? last, last)
        for place in states.indices { closeGaps(place, at: end) }
        for table in tables.indices { checkTableInterval(table, at: end) }
        if place(of: ProgramAssociation.pid) == Int(Self.untracked), end - first > Limit.tableInterval {
            errors.pat += 1
            errors.pat2 += 1
        }
    }

    /// Bit/s of all packets but those of the last instant, over the time from the first to the last; nil without time.
    var bitsPerSecond: Int64? {
        let span = (last - first).nanoseconds
        guard span > 0 else { return nil }
        let bits = Int128(packetsBeforeLast) * Int128(TransportPacket.length * 8) * 1_000_000_000
        return Int64(clamping: (bits + Int128(span / 2)) / Int128(span))
    }

    /// Everything, for a point of this name.
    public func measurements(point: String) -> TransportStreamMeasurements {
        var result = TransportStreamMeasurements()
        result.point = point
        result.bitsPerSecond = bitsPerSecond
        result.tr101290 = errors.named(measuresAccuracy: constantRate != nil)
        // Where nothing passed, nothing was measured.
        if packets == 0 { result.tr101290 = result.tr101290.map { ($0.name, nil) } }
        result.pcrIntervalMaximum = pcrIntervalMaximum
        result.pcrAccuracy = pcrAccuracy.distribution
        return result
    }
}

// MARK: - One packet

extension TransportStreamMonitor {
    /// Takes the packet at an offset at which there are 188 bytes.
    @inline(__always)
    private mutating func addChecked(_ bytes: RawSpan, at offset: Int, instant: Instant) {
        if instant != last || packets == 0 { openInstant(instant) }
        packets &+= 1
        // Most packets only go on with a payload: sync byte, no error, no unit's start, not scrambled, no adaptation
        // field. They are done here, in half the time that the general way takes.
        let word = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        guard word & 0xffc0_00f0 == 0x4700_0010, !isWatchful else { return addAny(bytes, at: offset) }
        let pid = UInt16(truncatingIfNeeded: word &>> 8 & 0x1fff)
        guard pid != TransportPacket.nullPID else { return }
        let place = place(of: pid)
        guard place < states.count,
            states[place].takePlain(UInt8(word & 15), Self.signature(bytes, offset), at: instant.nanoseconds)
        else { return addAny(bytes, at: offset) }
    }

    /// Sixteen of a packet's bytes, none of which are a clock reference's: a copy's has another (ISO/IEC 13818-1 §2.4.3.3).
    @inline(__always)
    private static func signature(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ 180, as: UInt64.self)
            ^ bytes.unsafeLoadUnaligned(fromByteOffset: offset &+ 100, as: UInt64.self) &<< 1
    }

    @inline(never)
    private mutating func openInstant(_ instant: Instant) {
        if packets == 0 { first = instant }
        last = instant
        packetsBeforeLast = packets
    }

    /// Takes any packet, which `add` has counted.
    @inline(never)
    private mutating func addAny(_ bytes: RawSpan, at offset: Int) {
        guard let header = TransportPacketHeader(bytes, at: offset) else { return addUnreadable(bytes, at: offset) }
        if isWatchful, !regainsSync() { return }
        let pid = header.pid
        var place = place(of: pid)
        if header.transportError {
            errors.transport += 1
            if place < states.count { states[place].skip(header) }
            return
        }
        guard pid != TransportPacket.nullPID else { return }
        if place == Int(Self.untracked) {
            guard let new = track(pid) else { return }
            place = new
        }
        let verdict = states[place].take(header, Self.signature(bytes, offset), at: last.nanoseconds)
        if verdict != 0 { act(on: verdict, place, header, bytes, offset) }
    }

    /// A packet without sync byte, or with an adaptation field that does not fit.
    private mutating func addUnreadable(_ bytes: RawSpan, at offset: Int) {
        let byte = (try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0
        guard byte != TransportPacket.syncByte else {
            // TR 101 290 has no counter for it; the PID's continuity counter will show that it was not used.
            return
        }
        errors.syncByte += 1
        isWatchful = true
        rightSyncBytes = 0
        wrongSyncBytes += 1
        if wrongSyncBytes >= Limit.syncLoss, isSynchronized {
            isSynchronized = false
            errors.syncLoss += 1
            // Where the next packet is, counted in packets, nobody knows.
            segment &+= 1
        }
    }

    /// Whether the stream is in sync with this right sync byte.
    private mutating func regainsSync() -> Bool {
        wrongSyncBytes = 0
        rightSyncBytes += 1
        guard isSynchronized || rightSyncBytes >= Limit.syncFound else { return false }
        isWatchful = false
        guard !isSynchronized else { return true }
        isSynchronized = true
        // Counters jumped while nobody looked: that is the sync loss, not errors of their own.
        for place in states.indices { states[place].forgetContinuity() }
        return true
    }

    /// Starts to follow a PID; nil when there are too many.
    private mutating func track(_ pid: UInt16) -> Int? {
        guard let place = makeState(pid) else { return nil }
        switch pid {
        case ProgramAssociation.pid:
            // Its absence counts from the first packet on.
            become(.programAssociation, place, since: first)
        case 0x0001: become(.conditionalAccess, place, since: last)
        // NIT, SDT and BAT, EIT, TDT and TOT (ETSI EN 300 468 §5.1.3).
        case 0x0010, 0x0011, 0x0012, 0x0014: become(.serviceInformation, place, since: last)
        default: break
        }
        return place
    }

    /// The state of a PID that may not have come yet; nil when there are too many.
    mutating func makeState(_ pid: UInt16) -> Int? {
        let known = place(of: pid)
        if known != Int(Self.untracked) { return known }
        guard states.count < Self.trackedPIDs else { return nil }
        var slot = Self.slot(of: pid)
        while index[slot] != Self.untracked { slot = Self.slot(after: slot) }
        index[slot] = UInt8(states.count)
        states.append(PIDState(pid: pid, seen: last.nanoseconds))
        return states.count - 1
    }

    /// The place in `states` of a PID; `untracked` when it is not followed.
    @inline(__always)
    private func place(of pid: UInt16) -> Int {
        var slot = Self.slot(of: pid)
        while true {
            let place = Int(index[slot])
            if place >= states.count || states[place].pid == pid { return place }
            slot = Self.slot(after: slot)
        }
    }

    /// The slot in `index` at which a PID's search begins. The upper bits count: PIDs of programs end alike.
    private static func slot(of pid: UInt16) -> Int { Int(pid ^ pid &>> 7) & (trackedPIDs * 2 - 1) }
    private static func slot(after slot: Int) -> Int { (slot + 1) & (trackedPIDs * 2 - 1) }

    /// What is not done for every packet.
    private mutating func act(
        on verdict: UInt8, _ place: Int, _ header: TransportPacketHeader, _ bytes: RawSpan, _ offset: Int
    ) {
        if verdict & PIDState.late != 0 { closeGaps(place, at: last, seen: true) }
        if verdict & PIDState.discontinuous != 0 {
            errors.continuity += 1
            segment &+= 1
        }
        if verdict & PIDState.scrambled != 0 { noteScrambling(place) }
        guard verdict & PIDState.isDuplicate == 0 else { return }
        if let pcr = header.pcr(bytes, at: offset) {
            takePCR(pcr, place, isDiscontinuous: header.discontinuityIndicator)
        }
        guard verdict & PIDState.wantsPayload != 0, header.scrambling == 0, header.hasPayload else { return }
        if states[place].hasSections {
            readTables(Int(states[place].table), header, bytes, offset)
        } else if states[place].role == .audioOrVideo, header.payloadUnitStart {
            let payload = bytes.extracting((offset + header.payloadOffset)..<(offset + TransportPacket.length))
            if let pes = try? PESHeader(parsing: payload), pes.pts != nil { takePTS(place) }
        }
    }

    private mutating func takePTS(_ place: Int) {
        let state = states[place]
        if state.lastPTS != .min, last.nanoseconds - state.lastPTS > Limit.ptsInterval.nanoseconds { errors.pts += 1 }
        states[place].lastPTS = last.nanoseconds
    }

    private mutating func noteScrambling(_ place: Int) {
        switch states[place].role {
        case .programAssociation:
            errors.pat += 1
            errors.pat2 += 1
        case .programMap:
            errors.pmt += 1
            errors.pmt2 += 1
        default:
            // Once for as long as there is no CAT: every packet would be the same fault again.
            guard !hasConditionalAccessTable, !hasReportedScrambling else { return }
            hasReportedScrambling = true
            errors.cat += 1
        }
    }

    /// Judges how long a PID has been silent, and its PTS when the stream ends.
    private mutating func closeGaps(_ place: Int, at instant: Instant, seen: Bool = false) {
        let state = states[place]
        let silence = instant.nanoseconds - (seen ? state.seenBefore : state.seen)
        if silence > state.silenceLimit {
            switch state.role {
            case .programAssociation: errors.pat += 1
            case .programMap: errors.pmt += 1
            case .audioOrVideo: errors.pid += 1
            default: break
            }
        }
        guard !seen else { return }
        if state.role == .audioOrVideo, state.lastPTS != .min,
            instant.nanoseconds - state.lastPTS > Limit.ptsInterval.nanoseconds
        {
            errors.pts += 1
        }
        if state.lastPCRInstant != .min, instant.nanoseconds - state.lastPCRInstant > Limit.pcrInterval.nanoseconds {
            errors.pcrRepetition += 1
            errors.pcr += 1
        }
    }
}
