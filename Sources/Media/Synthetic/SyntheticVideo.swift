import Timebase

/// H.264 in bytes that decoders accept, of given rate and structure and of no content.
public struct SyntheticVideo: Sendable {
    /// Pictures a second.
    var frameRate: UnitRate
    var groupOfPictures: GroupOfPictures
    /// Of the elementary stream: PES headers come on top. Exact over every window of whole groups with at least fifty
    /// pictures; within one the pictures share what they do not need at least as I : P : B = 5 : 3 : 1.
    var bitRate: BitRate
    /// How far a picture's share may lie from its mean, either way and uniformly: 0...1.
    var sizeVariation: Double

    public init(frameRate: UnitRate, groupOfPictures: GroupOfPictures, bitRate: BitRate, sizeVariation: Double = 0) {
        self.frameRate = frameRate
        self.groupOfPictures = groupOfPictures
        self.bitRate = bitRate
        self.sizeVariation = sizeVariation
    }
}

/// MPEG-1 Layer II: silence, the frames filled up with random ancillary data; one frame a unit.
public struct SyntheticAudio: Sendable {
    /// Of the elementary stream: one of Layer II's fourteen, 32...384 kbit/s. 32, 48, 56 and 80 are mono, the others
    /// stereo.
    var bitRate: BitRate
    /// 24 ms (48 kHz) or 36 ms (32 kHz).
    var frameDuration: TimeSpan

    public init(bitRate: BitRate, frameDuration: TimeSpan = .milliseconds(24)) {
        self.bitRate = bitRate
        self.frameDuration = frameDuration
    }
}

/// Units of random bytes, carried as private data: any codec's numbers without its syntax.
///
/// DEVIATION: a unit of more than 65,527 bytes goes out as an unbounded PES packet, which ISO/IEC 13818-1 §2.4.3.7 allows
/// for video only; the unit would otherwise not be one PES packet. The same holds for traces.
public struct SyntheticOpaque: Sendable {
    var unitRate: UnitRate
    /// Of the units' content: PES headers come on top. Exact over every fifty units.
    var volume: UnitVolume
    /// How far a unit may lie from the mean, either way and uniformly: 0...1.
    var sizeVariation: Double

    public init(unitRate: UnitRate, volume: UnitVolume, sizeVariation: Double = 0) {
        self.unitRate = unitRate
        self.volume = volume
        self.sizeVariation = sizeVariation
    }
}
