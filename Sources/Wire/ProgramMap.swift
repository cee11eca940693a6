/// A section of the program association table: where each program's map is (ISO/IEC 13818-1 §2.4.4.3).
public struct ProgramAssociation: Hashable, Sendable {
    /// A program that the stream has, and where its map is.
    public struct Program: Hashable, Sendable {
        /// 1...65535; 0 stands for the network information table.
        public var programNumber: UInt16
        /// The PID of the program's map, or of the network information table.
        public var pid: UInt16

        public init(programNumber: UInt16, pid: UInt16) {
            self.programNumber = programNumber
            self.pid = pid
        }
    }

    /// The PID of the table's sections.
    public static let pid: UInt16 = 0
    /// table_id of the program association section.
    public static let tableID: UInt8 = 0

    /// transport_stream_id: the stream's number in its network.
    public var transportStreamID: UInt16
    /// 0...31, one more after each change.
    var version: UInt8
    /// current_next_indicator: whether it holds now, or from its next version on.
    public var isCurrent = true
    /// Its place among the table's sections, from 0.
    public var sectionNumber: UInt8 = 0
    /// The highest section_number of the table.
    public var lastSectionNumber: UInt8 = 0
    /// In the table's order, the network information table included.
    var entries: [Program]

    public init(transportStreamID: UInt16, version: UInt8 = 0, programs: [Program]) {
        self.transportStreamID = transportStreamID
        self.version = version
        entries = programs
    }

    /// The programs alone.
    public var programs: [Program] { entries.filter { $0.programNumber != 0 } }

    /// - Throws: what ``PSISection/init(parsing:)`` does; `notRecognized` when it is another table, `badLength` when
    ///   it does not hold whole entries.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        let section = try PSISection(parsing: bytes)
        guard section.tableID == Self.tableID else { throw .notRecognized }
        guard section.body.count % 4 == 0 else { throw .badLength }
        self.init(transportStreamID: section.tableIDExtension, version: section.version, programs: [])
        isCurrent = section.isCurrent
        sectionNumber = section.sectionNumber
        lastSectionNumber = section.lastSectionNumber
        let body = section.body.span.bytes
        for offset in stride(from: 0, to: body.byteCount, by: 4) {
            let pid = try body.bigEndian(UInt16.self, at: offset + 2) & 0x1fff
            entries.append(Program(programNumber: try body.bigEndian(at: offset), pid: pid))
        }
    }

    /// The section as it is sent; nil with more than 253 entries.
    public var section: [UInt8]? {
        var body: [UInt8] = []
        for entry in entries {
            body.appendBigEndian(entry.programNumber)
            body.appendBigEndian(0xe000 | entry.pid & 0x1fff)
        }
        var section = PSISection(
            tableID: Self.tableID, tableIDExtension: transportStreamID, version: version, body: body)
        section.isCurrent = isCurrent
        section.sectionNumber = sectionNumber
        section.lastSectionNumber = lastSectionNumber
        return section.bytes.flatMap { $0.count <= PSISection.maximumLength ? $0 : nil }
    }
}

/// A program's map: its streams and the PID with its clock (ISO/IEC 13818-1 §2.4.4.8).
public struct ProgramMap: Hashable, Sendable {
    /// An elementary stream of the program.
    public struct Stream: Hashable, Sendable {
        /// The stream_type as it is sent (table 2-34).
        public var streamTypeCode: UInt8
        /// The PID of the stream's packets, 0x10...0x1ffe.
        public var pid: UInt16
        /// The ES_info descriptors as they are sent.
        public var descriptors: [UInt8]

        public init(streamTypeCode: UInt8, pid: UInt16, descriptors: [UInt8] = []) {
            self.streamTypeCode = streamTypeCode
            self.pid = pid
            self.descriptors = descriptors
        }
    }

    /// table_id of the program map section.
    public static let tableID: UInt8 = 2

    /// program_number, 1...65535.
    public var programNumber: UInt16
    /// 0...31, one more after each change.
    var version: UInt8
    /// current_next_indicator: whether it holds now, or from its next version on.
    public var isCurrent = true
    /// The PID whose packets carry the PCR; 0x1fff for none.
    public var pcrPID: UInt16
    /// The program_info descriptors as they are sent.
    public var descriptors: [UInt8]
    /// The program's elementary streams, in the table's order.
    public var streams: [Stream]

    public init(
        programNumber: UInt16, version: UInt8 = 0, pcrPID: UInt16, descriptors: [UInt8] = [], streams: [Stream]
    ) {
        self.programNumber = programNumber
        self.version = version
        self.pcrPID = pcrPID
        self.descriptors = descriptors
        self.streams = streams
    }

    /// - Throws: what ``PSISection/init(parsing:)`` does; `notRecognized` when it is another table, `badLength` when
    ///   its loops do not end with the section.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        let section = try PSISection(parsing: bytes)
        guard section.tableID == Self.tableID else { throw .notRecognized }
        let body = section.body.span.bytes
        guard body.byteCount >= 4 else { throw .badLength }
        var offset = 4 + Int(body.loaded(UInt16.self, at: 2) & 0xfff)
        guard offset <= body.byteCount else { throw .badLength }
        self.init(
            programNumber: section.tableIDExtension, version: section.version,
            pcrPID: body.loaded(UInt16.self, at: 0) & 0x1fff, descriptors: Array(section.body[4..<offset]), streams: [])
        isCurrent = section.isCurrent
        while offset < body.byteCount {
            guard offset + 5 <= body.byteCount else { throw .badLength }
            let end = offset + 5 + Int(body.loaded(UInt16.self, at: offset + 3) & 0xfff)
            guard end <= body.byteCount else { throw .badLength }
            streams.append(
                Stream(
                    streamTypeCode: body.loaded(at: offset), pid: body.loaded(UInt16.self, at: offset + 1) & 0x1fff,
                    descriptors: Array(section.body[(offset + 5)..<end])))
            offset = end
        }
    }

    /// The section as it is sent; nil when it would be longer than 1,024 bytes.
    public var section: [UInt8]? {
        guard descriptors.count < 1_024, streams.allSatisfy({ $0.descriptors.count < 1_024 }) else { return nil }
        var body: [UInt8] = []
        body.appendBigEndian(0xe000 | pcrPID & 0x1fff)
        body.appendBigEndian(0xf000 | UInt16(descriptors.count))
        body += descriptors
        for stream in streams {
            body.append(stream.streamTypeCode)
            body.appendBigEndian(0xe000 | stream.pid & 0x1fff)
            body.appendBigEndian(0xf000 | UInt16(stream.descriptors.count))
            body += stream.descriptors
        }
        var section = PSISection(
            tableID: Self.tableID, tableIDExtension: programNumber, version: version, body: body)
        section.isCurrent = isCurrent
        return section.bytes.flatMap { $0.count <= PSISection.maximumLength ? $0 : nil }
    }

    /// What a stream of this program carries.
    public func type(of stream: Stream) -> StreamType {
        StreamType(code: stream.streamTypeCode, descriptors: stream.descriptors, programDescriptors: descriptors)
    }
}

/// The descriptors of a descriptor loop, in order (ISO/IEC 13818-1 §2.6). One that runs out of the loop ends it.
public struct DescriptorLoop: Sequence, IteratorProtocol, Sendable {
    /// A tag and the bytes behind it (ISO/IEC 13818-1 §2.6).
    public struct Descriptor: Hashable, Sendable {
        var tag: UInt8
        var content: ArraySlice<UInt8>
    }

    private var rest: ArraySlice<UInt8>

    /// The descriptors in a loop's bytes.
    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    public mutating func next() -> Descriptor? {
        guard rest.count >= 2 else { return nil }
        let start = rest.startIndex + 2
        let end = start + Int(rest[start - 1])
        guard end <= rest.endIndex else { return nil }
        defer { rest = rest[end...] }
        return Descriptor(tag: rest[start - 2], content: rest[start..<end])
    }
}
