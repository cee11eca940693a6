import Timebase

/// What viewers tell all receivers to do with what they present: the payload of a message to a group.
///
/// A form of this package's own: `P`, kind (8 bits: 1 pause, 2 play, 3 seek), and of seek the place on the program's
/// timeline (64, nanoseconds).
public enum PlaybackCommand: Hashable, Sendable {
    /// Nothing is presented any more: the position stands still.
    case pause
    /// What is presented goes on where it stands.
    case play
    /// The position is another one, on the program's timeline, not negative.
    case seek(to: TimeSpan)

    private static let magic: UInt8 = 0x50

    /// - Throws: `notRecognized` for what is no command; `truncated`, `badLength`; `forbiddenValue` for kinds that do not
    ///   exist and places before the program's begin.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        guard try bytes.bigEndian(UInt8.self, at: 0) == Self.magic else { throw .notRecognized }
        var length = 2
        switch try bytes.bigEndian(UInt8.self, at: 1) {
        case 1: self = .pause
        case 2: self = .play
        case 3:
            let place = try bytes.bigEndian(Int64.self, at: 2)
            guard place >= 0 else { throw .forbiddenValue }
            self = .seek(to: .nanoseconds(place))
            length = 10
        default: throw .forbiddenValue
        }
        guard bytes.byteCount == length else { throw .badLength }
    }

    /// The payload's bytes.
    public var bytes: [UInt8] {
        switch self {
        case .pause: return [Self.magic, 1]
        case .play: return [Self.magic, 2]
        case .seek(let place):
            var bytes = [Self.magic, 3]
            bytes.appendBigEndian(place.nanoseconds)
            return bytes
        }
    }

    /// In a few words, for a log.
    public var text: String {
        switch self {
        case .pause: "pause"
        case .play: "play"
        case .seek(let place): "seek \(place.nanoseconds) ns"
        }
    }
}
