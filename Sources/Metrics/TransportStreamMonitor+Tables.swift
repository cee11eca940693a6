import Timebase
import Wire

extension TransportStreamMonitor {
    /// Gives a PID its role, and a watch over its tables if that role has sections.
    mutating func become(_ role: Role, _ place: Int, since instant: Instant) {
        states[place].role = role
        switch role {
        case .programAssociation, .programMap: states[place].silenceLimit = Limit.tableInterval.nanoseconds
        case .audioOrVideo: states[place].silenceLimit = Limit.pidInterval.nanoseconds
        default: states[place].silenceLimit = .max
        }
        switch role {
        case .programAssociation, .programMap, .conditionalAccess, .serviceInformation:
            states[place].hasSections = true
            // One that a PID has had before begins anew.
            let watch = TableWatch(place: place, since: instant.nanoseconds)
            if states[place].table < 0 {
                states[place].table = Int16(tables.count)
                tables.append(watch)
            } else {
                tables[Int(states[place].table)] = watch
            }
        case .unknown, .audioOrVideo, .data: states[place].hasSections = false
        }
        if role == .unknown { (states[place].lastPTS, states[place].lastPCRInstant) = (.min, .min) }
        // It is awaited from now on: before, nothing referred to it.
        states[place].seen = instant.nanoseconds
    }

    /// Puts the sections of a packet together and reads those that are whole.
    mutating func readTables(_ table: Int, _ header: TransportPacketHeader, _ bytes: RawSpan, _ offset: Int) {
        tables[table].assembler.take(header, bytes, at: offset)
        while tables[table].assembler.next(bytes) { readSection(table) }
    }

    /// Reads a table's whole section.
    private mutating func readSection(_ table: Int) {
        let place = tables[table].place
        let section = tables[table].assembler.section
        guard let tableID = section.first else { return }
        let isNew = !tables[table].assembler.isRemembered
        // Only sections in the long form have a CRC, and the TOT (ETSI EN 300 468 §5.2.6).
        let hasCRC = section[1] & 0x80 != 0 || tableID == 0x73
        if isNew, hasCRC, CRC32.mpeg2(section.span.bytes) != 0 {
            errors.crc += 1
            return
        }
        switch states[place].role {
        case .programAssociation:
            guard tableID == ProgramAssociation.tableID else {
                errors.pat += 1
                errors.pat2 += 1
                return
            }
            checkTableInterval(table, at: last)
            if isNew, let programs = try? ProgramAssociation(parsing: section.span.bytes), programs.isCurrent {
                adopt(programs)
            }
        case .programMap:
            guard tableID == ProgramMap.tableID else { return }
            checkTableInterval(table, at: last)
            if isNew, let map = try? ProgramMap(parsing: section.span.bytes), map.isCurrent {
                adopt(map, of: states[place].pid)
            }
        case .conditionalAccess:
            if tableID == 1 { hasConditionalAccessTable = true } else { errors.cat += 1 }
        case .serviceInformation, .unknown, .audioOrVideo, .data: break
        }
        if isNew { tables[table].assembler.remember() }
    }

    /// Judges the time since the table came last, and begins it anew.
    mutating func checkTableInterval(_ table: Int, at instant: Instant) {
        let silence = instant.nanoseconds - tables[table].lastTable
        tables[table].lastTable = instant.nanoseconds
        guard silence > Limit.tableInterval.nanoseconds else { return }
        switch states[tables[table].place].role {
        case .programAssociation: errors.pat2 += 1
        case .programMap: errors.pmt2 += 1
        case .unknown, .conditionalAccess, .serviceInformation, .audioOrVideo, .data: break
        }
    }

    private mutating func adopt(_ table: ProgramAssociation) {
        if table.sectionNumber == 0, table.lastSectionNumber == 0 {
            // A table of one section says all: what it leaves out is no longer a program.
            let mapPIDs = table.programs.map(\.pid)
            for place in states.indices where states[place].role == .programMap {
                guard !mapPIDs.contains(states[place].pid) else { continue }
                become(.unknown, place, since: last)
                // Nor is there anything left that refers to its streams.
                for other in states.indices where states[other].owner == states[place].pid {
                    states[other].owner = 0
                    become(.unknown, other, since: last)
                }
            }
        }
        for program in table.programs {
            guard Self.mayBeReferred(program.pid), let place = makeState(program.pid),
                states[place].role != .programMap
            else { continue }
            become(.programMap, place, since: last)
        }
    }

    private mutating func adopt(_ table: ProgramMap, of mapPID: UInt16) {
        // The same program's streams only: several maps may share a PID, but then each is told by its number alone, and
        // what one leaves out another may have.
        let pids = table.streams.map(\.pid)
        for place in states.indices where states[place].owner == mapPID && !pids.contains(states[place].pid) {
            states[place].owner = 0
            become(.unknown, place, since: last)
        }
        for stream in table.streams {
            guard Self.mayBeReferred(stream.pid), let place = makeState(stream.pid),
                states[place].role != .programMap
            else { continue }
            let role: Role = table.type(of: stream).kind == .data ? .data : .audioOrVideo
            states[place].owner = mapPID
            guard states[place].role != role else { continue }
            become(role, place, since: last)
        }
    }

    /// Whether a table can give a PID a role: the PAT and its like keep their own, whatever a table says.
    private static func mayBeReferred(_ pid: UInt16) -> Bool { pid > 0x1f && pid < TransportPacket.nullPID }
}
