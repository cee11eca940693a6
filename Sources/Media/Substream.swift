import Timebase

/// What a program map and a report say about one substream.
public struct Substream: Sendable {
    /// `video`, `audio`, `audio-2`, `data`… or what the scenario calls it; unique in its program.
    public var id: String
    /// What it is to those who watch, hear or read it.
    public var kind: SubstreamKind
    /// 0x10...0x1ffe.
    public var pid: UInt16
    /// stream_type of the program map (ISO/IEC 13818-1 table 2-34).
    public var streamType: UInt8
    /// The descriptors of the program map's entry, raw.
    public var descriptors: [UInt8]
    /// stream_id of its PES packets (ISO/IEC 13818-1 table 2-22); of the first one, should a file change it.
    public var streamID: UInt8
    /// `h264`, `mpeg2-video`, `ac3`… as ``Wire/StreamType`` prints them; `mp2` and `opaque` for what is made here.
    public var codecName: String
    /// The usual time between units in ticks of 90 kHz; 0 when not known (fewer than two units).
    public var usualDuration: Int64
    /// How long after its presentation time a unit is captured to its end, in ticks of 90 kHz: of calls, whose packets are
    /// sent as soon as they are full. 0 of what is captured at one time, or recorded.
    public var fillingDuration: Int64 = 0
}
