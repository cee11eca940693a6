import Timebase

/// What is sent: substreams on one timeline, with what a transport stream says about them.
public struct Program: Sendable {
    /// program_number of the program association table, 1...65535.
    public var programNumber: UInt16
    /// transport_stream_id of the program association table.
    public var transportStreamID: UInt16
    /// The PID of the program's map, 0x10...0x1ffe.
    public var pmtPID: UInt16
    /// The PID whose packets carry the PCR; that of a substream, or one of its own.
    public var pcrPID: UInt16
    /// The program's own descriptors in its map, raw.
    public var programDescriptors: [UInt8]
    /// In the order of the program map.
    public var substreams: [Substream]
    /// A service description section (table_id 0x42) to pass on, CRC included.
    public var serviceDescriptionSection: [UInt8]?
    /// The PTS, in ticks of 90 kHz, that is emulated time zero: a unit's capture instant is its presentation less this.
    public var firstPresentation: Int64
    /// How long the program is presented; nil for an endless one.
    public var duration: TimeSpan?
    /// Sentences about what makes the program less than it seems.
    public var warnings: [String]
    /// What was wrong with the file; all zero for a made program.
    var damage: ProgramDamage

    var sources: [SubstreamSource]

    /// The units of `substreams[index]`, from the first.
    public func source(_ index: Int) -> SubstreamSource { sources[index] }
}

/// What was found wrong in a transport stream file, counted.
struct ProgramDamage: Sendable, Equatable {
    /// Jumps of a PID's continuity counter that no discontinuity indicator announces, and third copies of a packet.
    var continuityErrors: Int64 = 0
    /// Legal repetitions of a packet, ignored.
    var duplicatePackets: Int64 = 0
    /// Places where the sync byte was not where it had to be.
    var syncLosses: Int64 = 0
    /// Bytes skipped looking for it.
    var skippedBytes: Int64 = 0
    /// Packets with transport_error_indicator: ignored.
    var transportErrors: Int64 = 0
    var scrambledPackets: Int64 = 0
    /// Units left out because bytes of them are missing or are not a PES packet.
    var damagedUnits: Int64 = 0
    /// Units longer than their length field says; kept, with the field corrected.
    var repairedLengths: Int64 = 0
    /// Units that the file's end cut off, left out.
    var truncatedUnits: Int64 = 0
    /// Sections with a wrong CRC or syntax.
    var damagedSections: Int64 = 0
    /// Steps of the program's clock that were closed up.
    var clockDiscontinuities: Int64 = 0
    /// Elementary streams of the program map that are not sent.
    var droppedSubstreams: Int64 = 0
    /// Programs of the file that are not sent.
    var droppedPrograms: Int64 = 0

    init() {}
}
