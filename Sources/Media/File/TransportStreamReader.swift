import Timebase
import Wire

/// Reads one program of a transport stream file: which, its units, its clock, and what is wrong with any of it.
struct TransportStreamReader {
    private let tables: FileTables
    private let choice: ProgramAssociation.Program
    private let map: ProgramMap
    private let streams: [(stream: ProgramMap.Stream, type: StreamType)]
    private var assemblers: [PESAssembler]
    /// Index of the assembler of each PID; -1 for none.
    private var assemblerOfPID = [Int16](repeating: -1, count: 8_192)
    private var clock = ProgramClock()
    private var damage = ProgramDamage()
    private var warnings: [String] = []

    init(_ bytes: RawSpan, _ framing: PacketFraming) throws(TransportStreamError) {
        tables = FileTables(bytes, framing: framing)
        let tables = tables
        let known = tables.programs.filter { tables.maps[$0.programNumber] != nil }
        guard !known.isEmpty else { throw .noProgram(packets: Self.countPackets(bytes, framing)) }
        let choice = known.first { program in
            tables.streams(of: program.programNumber).contains { tables.isCarried($0.stream, $0.type) }
        }
        guard let choice, let map = tables.maps[choice.programNumber]?.first else {
            throw .noElementaryStreams(warnings: known.flatMap { Self.omissions(tables, $0.programNumber) })
        }
        self.choice = choice
        self.map = map
        // Substreams are numbered in 16 bits here and by PID everywhere, so there are few enough.
        streams = tables.streams(of: choice.programNumber).filter { tables.isCarried($0.stream, $0.type) }
        assemblers = streams.map { PESAssembler(capacity: tables.payloadBytes[Int($0.stream.pid)]) }
        for (index, entry) in streams.enumerated() { assemblerOfPID[Int(entry.stream.pid)] = Int16(index) }
        let omissions = Self.omissions(tables, choice.programNumber)
        damage.droppedSubstreams = Int64(omissions.count)
        damage.damagedSections = tables.damagedSections
        warnings += Self.omittedPrograms(tables, choice)
        damage.droppedPrograms = Int64(tables.programs.count - 1)
        warnings += omissions + Self.changes(tables.maps[choice.programNumber] ?? [])
    }

    private static func countPackets(_ bytes: RawSpan, _ start: PacketFraming) -> Int64 {
        var framing = start
        var count: Int64 = 0
        while framing.next(bytes) != nil { count += 1 }
        return count
    }

    private static func omittedPrograms(_ tables: FileTables, _ choice: ProgramAssociation.Program) -> [String] {
        let others = tables.programs.filter { $0 != choice }
        guard !others.isEmpty else { return [] }
        let list = others.map { "\($0.programNumber)" }.joined(separator: ", ")
        return ["program \(choice.programNumber) is sent; the file's other programs are not: \(list)"]
    }

    /// A sentence for each stream of the map that is not sent.
    private static func omissions(_ tables: FileTables, _ program: UInt16) -> [String] {
        tables.streams(of: program).compactMap { stream, type in
            guard !tables.isCarried(stream, type) else { return nil }
            let name = "PID \(hexadecimal(stream.pid)) (\(type.rawValue)) is not sent: "
            if tables.scrambled[Int(stream.pid)] { return name + "it is scrambled" }
            if tables.payloadBytes[Int(stream.pid)] == 0 {
                return name + "the program map names it, but it never occurs"
            }
            return name + (type.carriesSections ? "it carries sections, not PES packets" : "no PES packet begins on it")
        }
    }

    private static func changes(_ maps: [ProgramMap]) -> [String] {
        guard let first = maps.first, maps.count > 1 else { return [] }
        let added = Set(maps.flatMap(\.streams).map(\.pid)).subtracting(first.streams.map(\.pid)).sorted()
        let list = added.isEmpty ? "" : "; streams added on the way: " + added.map(hexadecimal).joined(separator: ", ")
        let times = maps.count == 2 ? "once" : "\(maps.count - 1) times"
        return ["the program map changes \(times); every stream is sent as it was first described\(list)"]
    }

    /// Reads every packet: PES packets, the clock and the damage.
    mutating func readPackets(_ bytes: RawSpan, _ start: PacketFraming) {
        var framing = start
        while let offset = framing.next(bytes) {
            guard let header = TransportPacketHeader(bytes, at: offset) else { continue }
            if header.transportError {
                damage.transportErrors += 1
                continue
            }
            if header.pid == map.pcrPID, let pcr = header.pcr(bytes, at: offset) {
                clock.take(pcr: pcr, isAnnounced: header.discontinuityIndicator)
            }
            let index = Int(assemblerOfPID[Int(header.pid)])
            guard index >= 0, header.hasPayload else { continue }
            if header.scrambling != 0 {
                damage.scrambledPackets += 1
                continue
            }
            assemblers[index].take(header, bytes, at: offset, clock: clock, damage: &damage)
        }
        damage.syncLosses = framing.syncLosses
        damage.skippedBytes = framing.skippedBytes
        damage.clockDiscontinuities = Int64(max(0, clock.stretches.count - 1))
        finish(bytes, cut: framing.remainder(bytes))
    }

    /// - Parameter cut: what is left at the end of the file, less than a packet.
    private mutating func finish(_ bytes: RawSpan, cut: Range<Int>) {
        // Behind the last packet of 204 or 192 bytes, part of the next one's frame may stand without its packet.
        var cutPID: UInt16?
        if bytes.isSync(cut.lowerBound), let word = try? bytes.bigEndian(UInt32.self, at: cut.lowerBound) {
            // A cut packet that begins a unit ends the one before, which is then whole.
            if word & 0x40_0000 == 0 { cutPID = UInt16(truncatingIfNeeded: word >> 8) & 0x1fff }
        }
        for index in assemblers.indices {
            assemblers[index].finish(isCut: streams[index].stream.pid == cutPID, damage: &damage)
        }
        if bytes.isSync(cut.lowerBound) {
            warnings.append("the file ends in the middle of a packet (\(cut.count) bytes)")
        }
    }

    /// A substream that is sent.
    private typealias Entry = (substream: Substream, store: ByteStore, units: [RecordedUnit], type: StreamType)

    /// What has been read, as a program.
    func program(loop: Bool, duration: TimeSpan?) throws(TransportStreamError) -> Program {
        let timeline = ProgramTimeline(clock, assemblers.map(\.units))
        guard timeline.hasTimestamps else { throw .noTimestamps }
        var damage = damage
        var warnings = warnings
        var entries: [Entry] = []
        for (index, entry) in streams.enumerated() {
            let assembler = assemblers[index]
            let isContinuous = entry.type.kind != .data
            var units = timeline.place(assembler.units, isContinuous: isContinuous, damaged: &damage.damagedUnits)
            Self.markPictures(&units, in: assembler.store, entry.type)
            if entry.type.kind == .audio { Self.countFrames(&units, in: assembler.store) }
            let isPlaceable = units.contains { $0.hasTimestamp } || !clock.stretches.isEmpty
            guard let first = assembler.units.first, !units.isEmpty, isPlaceable else {
                damage.droppedSubstreams += 1
                let why = units.isEmpty ? "no whole PES packet is on it" : "it has no timestamps"
                warnings.append("PID \(hexadecimal(entry.stream.pid)) (\(entry.type.rawValue)) is not sent: \(why)")
                continue
            }
            entries.append((Self.substream(entry, units, streamID: first.streamID), assembler.store, units, entry.type))
        }
        guard !entries.isEmpty else { throw .noElementaryStreams(warnings: warnings) }
        Self.number(&entries)
        return assemble(entries, damage, warnings, loop: loop, duration: duration)
    }

    private func assemble(
        _ entries: [Entry], _ damage: ProgramDamage,
        _ warnings: [String], loop: Bool, duration: TimeSpan?
    ) -> Program {
        var entries = entries
        let timed = entries.lazy.map(\.units).joined().lazy.filter(\.hasTimestamp).map(\.presentation)
        let first = timed.min() ?? 0
        for index in entries.indices {
            for unit in entries[index].units.indices where entries[index].units[unit].presentation < first {
                // Only one without a timestamp of its own can lie earlier.
                entries[index].units[unit].presentation = first
            }
        }
        let end = entries.lazy.map(\.units).joined().lazy.map { $0.presentation + $0.duration }.max() ?? first
        // Decoding times must not go back from one repetition to the next either.
        let decodeLength = entries.map { entry in
            let times = entry.units.map(\.decode)
            return (times.max() ?? 0) - (times.min() ?? 0) + entry.substream.usualDuration
        }
        let length = max(end - first, decodeLength.max() ?? 0, 1)
        let fileDuration = MediaClock.span(ticks: max(1, end - first), rate: MediaClock.ninetyKilohertz)
        let limit = duration.map { first + MediaClock.ticks($0, rate: MediaClock.ninetyKilohertz, .up) } ?? .max
        let fallback = entries.first { $0.substream.kind == .video } ?? entries[0]
        return Program(
            programNumber: choice.programNumber, transportStreamID: tables.transportStreamID, pmtPID: choice.pid,
            pcrPID: map.pcrPID == TransportPacket.nullPID ? fallback.substream.pid : map.pcrPID,
            programDescriptors: map.descriptors, substreams: entries.map(\.substream),
            serviceDescriptionSection: tables.serviceDescription, firstPresentation: first,
            duration: loop ? duration : duration.map { min($0, fileDuration) } ?? fileDuration,
            warnings: warnings + damage.sentences + Self.lacks(entries.map(\.substream.kind)), damage: damage,
            sources: entries.map { entry in
                SubstreamSource(
                    RecordedUnits(
                        entry.store, UnitIndex(entry.units), entry.type, loopLength: loop ? length : 0, end: limit))
            })
    }

    private static func lacks(_ kinds: [SubstreamKind]) -> [String] {
        switch (kinds.contains(.video), kinds.contains(.audio)) {
        case (true, _): []
        case (false, true): ["the program has no video"]
        case (false, false): ["the program has neither video nor audio, only data"]
        }
    }

    /// Finds the frames of sound in each unit. A file's last one may hold fewer than the others, and no other follows it
    /// that would tell how long it lasts.
    private static func countFrames(_ units: inout [RecordedUnit], in store: ByteStore) {
        let last = units.indices.max { units[$0].presentation < units[$1].presentation }
        for index in units.indices {
            let unit = units[index]
            let bytes = UnsafeRawBufferPointer(start: store.base + unit.offset, count: unit.byteCount).bytes
            let frames = AudioFrames(bytes.extracting(unit.headerByteCount..<bytes.byteCount))
            units[index].frameCount = UInt16(clamping: max(1, frames.ranges.count))
            if index == last, let duration = frames.duration { units[index].duration = duration }
        }
    }

    private static func markPictures(_ units: inout [RecordedUnit], in store: ByteStore, _ type: StreamType) {
        guard var scanner = PictureScanner(type) else {
            for index in units.indices where type.kind != .video { units[index].isRandomAccess = true }
            return
        }
        // Of the latest refresh that others may refer across.
        var refreshPresentation = Int64.min
        for index in units.indices {
            let unit = units[index]
            let bytes = UnsafeRawBufferPointer(start: store.base + unit.offset, count: unit.byteCount).bytes
            guard let header = try? PESHeader(parsing: bytes) else { continue }
            var picture = scanner.scan(bytes.extracting(header.headerLength..<bytes.byteCount))
            switch picture.references.refresh {
            case .open, .broken: refreshPresentation = unit.presentation
            case .instantaneous: refreshPresentation = .min
            case .none:
                let isLeading = unit.presentation < refreshPresentation && !scanner.namesLeadingPictures
                if isLeading, picture.references.needs == .recent { picture.references.needs = .across }
            }
            units[index].frameType = picture.type
            units[index].isRandomAccess = unit.isRandomAccess || picture.isRandomAccess
            units[index].references = picture.references
            units[index].beginningByteCount = min(unit.byteCount, header.headerLength + picture.beginning)
        }
        let hasBeginning = units.contains {
            $0.references.refresh != .none && $0.references.bringsParameters || $0.references.recoveryCount > 0
        }
        // Nothing that decoding could begin with was found: then it begins where the file does.
        if !hasBeginning, !units.isEmpty { units[0].references = .intra(.instantaneous) }
    }

    private static func substream(
        _ entry: (stream: ProgramMap.Stream, type: StreamType), _ units: [RecordedUnit], streamID: UInt8
    ) -> Substream {
        let kind: SubstreamKind =
            switch entry.type.kind {
            case .video: .video
            case .audio: .audio
            case .data: .data
            }
        return Substream(
            id: "", kind: kind, pid: entry.stream.pid, streamType: entry.stream.streamTypeCode,
            descriptors: entry.stream.descriptors, streamID: streamID, codecName: entry.type.rawValue,
            usualDuration: ProgramTimeline.usualDistance(units.map(\.presentation).sorted()))
    }

    /// `video`, `audio`, `audio-2`…
    private static func number(_ entries: inout [Entry]) {
        for (kind, name) in [(SubstreamKind.video, "video"), (.audio, "audio"), (.data, "data")] {
            for (place, index) in entries.indices.filter({ entries[$0].substream.kind == kind }).enumerated() {
                entries[index].substream.id = place == 0 ? name : "\(name)-\(place + 1)"
            }
        }
    }
}

/// `0x101`.
func hexadecimal(_ pid: UInt16) -> String { "0x" + String(pid, radix: 16) }

extension ProgramDamage {
    /// What was found, one sentence for each kind.
    var sentences: [String] {
        [
            (syncLosses, "places where the packets' sync byte is lost, \(skippedBytes) bytes skipped"),
            (transportErrors, "packets marked as damaged (transport_error_indicator), ignored"),
            (continuityErrors, "errors of the continuity counter: packets are missing"),
            (scrambledPackets, "scrambled packets, ignored"),
            (damagedSections, "damaged table sections, ignored"),
            (damagedUnits, "damaged PES packets, left out"),
            (repairedLengths, "PES packets longer than their PES_packet_length, kept with the length corrected"),
            (truncatedUnits, "PES packets cut off by the end of the file, left out"),
            (clockDiscontinuities, "jumps of the program's clock, closed up by shifting timestamps"),
        ].compactMap { count, what in count == 0 ? nil : "in the file: \(count) \(what)" }
    }
}
