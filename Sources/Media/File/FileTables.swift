import Wire

/// What a transport stream file says about its programs, from all its tables.
struct FileTables {
    private(set) var transportStreamID: UInt16 = 0
    /// In the order in which the association tables name them.
    private(set) var programs: [ProgramAssociation.Program] = []
    /// The maps of each program in the order of the file, only those that differ from the one before.
    private(set) var maps: [UInt16: [ProgramMap]] = [:]
    /// The first service description section of this very stream.
    private(set) var serviceDescription: [UInt8]?
    private(set) var damagedSections: Int64 = 0
    /// Whether PES packets, unscrambled, begin on a PID.
    private(set) var hasPackets = [Bool](repeating: false, count: 8_192)
    /// Bytes of payload on a PID.
    private(set) var payloadBytes = [Int](repeating: 0, count: 8_192)
    private(set) var scrambled = [Bool](repeating: false, count: 8_192)

    private static let serviceDescriptionPID: UInt16 = 0x11

    /// Reads all tables in two passes, since a program's map may come before the table that says where it is.
    init(_ bytes: RawSpan, framing: PacketFraming) {
        readAssociations(bytes, framing)
        readMaps(bytes, framing)
    }

    private mutating func readAssociations(_ bytes: RawSpan, _ start: PacketFraming) {
        var framing = start
        var assembler = SectionAssembler()
        var isFirst = true
        while let offset = framing.next(bytes) {
            guard let header = TransportPacketHeader(bytes, at: offset), !header.transportError, header.hasPayload
            else {
                continue
            }
            let pid = Int(header.pid)
            payloadBytes[pid] += header.payloadCount
            if header.scrambling != 0 {
                scrambled[pid] = true
            } else if header.payloadUnitStart, pid != 0 {
                let prefix = try? bytes.bigEndian24(at: offset + header.payloadOffset)
                if header.payloadCount >= 3, prefix == 1 { hasPackets[pid] = true }
            }
            guard header.pid == ProgramAssociation.pid else { continue }
            assembler.take(header, bytes, at: offset)
            while assembler.next(bytes) {
                guard let table = try? ProgramAssociation(parsing: assembler.section.span.bytes) else {
                    damagedSections += 1
                    continue
                }
                guard table.isCurrent else { continue }
                if isFirst { transportStreamID = table.transportStreamID }
                isFirst = false
                for program in table.programs where !programs.contains(program) { programs.append(program) }
            }
        }
    }

    private mutating func readMaps(_ bytes: RawSpan, _ start: PacketFraming) {
        var framing = start
        var assemblers = Dictionary(uniqueKeysWithValues: Set(programs.map(\.pid)).map { ($0, SectionAssembler()) })
        assemblers[Self.serviceDescriptionPID] = SectionAssembler()
        while let offset = framing.next(bytes) {
            guard let header = TransportPacketHeader(bytes, at: offset) else { continue }
            assemblers[header.pid]?.take(header, bytes, at: offset)
            while assemblers[header.pid]?.next(bytes) == true {
                take(assemblers[header.pid]?.section ?? [], pid: header.pid)
            }
        }
    }

    private mutating func take(_ section: [UInt8], pid: UInt16) {
        if pid == Self.serviceDescriptionPID {
            guard serviceDescription == nil, section.first == 0x42 else { return }
            guard let table = try? PSISection(parsing: section.span.bytes) else { return damagedSections += 1 }
            guard table.isCurrent, table.lastSectionNumber == 0, table.tableIDExtension == transportStreamID else {
                return
            }
            serviceDescription = section
            return
        }
        // Other tables may share the PID.
        guard section.first == ProgramMap.tableID else { return }
        guard let map = try? ProgramMap(parsing: section.span.bytes) else { return damagedSections += 1 }
        let isExpected = programs.contains { $0.programNumber == map.programNumber && $0.pid == pid }
        guard map.isCurrent, isExpected, maps[map.programNumber]?.last != map else { return }
        maps[map.programNumber, default: []].append(map)
    }

    /// All streams that any of the program's maps names, each as it was named first.
    func streams(of program: UInt16) -> [(stream: ProgramMap.Stream, type: StreamType)] {
        var found: [(stream: ProgramMap.Stream, type: StreamType)] = []
        for map in maps[program] ?? [] {
            for stream in map.streams where !found.contains(where: { $0.stream.pid == stream.pid }) {
                found.append((stream, map.type(of: stream)))
            }
        }
        return found
    }

    /// Whether a stream of this program can be sent: PES packets that are there and are not scrambled.
    func isCarried(_ stream: ProgramMap.Stream, _ type: StreamType) -> Bool {
        !type.carriesSections && hasPackets[Int(stream.pid)]
    }
}
