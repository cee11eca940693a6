import Testing
import Timebase
import Wire

@Suite("Playback commands")
struct PlaybackCommandTests {
    private static let forms: [(PlaybackCommand, [UInt8])] = [
        (.pause, [0x50, 1]), (.play, [0x50, 2]),
        (.seek(to: .nanoseconds(258)), [0x50, 3, 0, 0, 0, 0, 0, 0, 1, 2]),
    ]

    @Test("the bytes are those of the form, and are read again", arguments: forms)
    func golden(command: PlaybackCommand, bytes: [UInt8]) throws {
        #expect(command.bytes == bytes)
        #expect(try PlaybackCommand(parsing: bytes.span.bytes) == command)
    }

    @Test("cut anywhere it is truncated, and longer it is too long", arguments: forms)
    func lengths(command: PlaybackCommand, bytes: [UInt8]) {
        for count in bytes.indices {
            let cut = Array(bytes[..<count])
            #expect(throws: ParseError.truncated) { try PlaybackCommand(parsing: cut.span.bytes) }
        }
        let longer = bytes + [0]
        #expect(throws: ParseError.badLength) { try PlaybackCommand(parsing: longer.span.bytes) }
    }

    @Test(
        "other bytes are no command",
        arguments: [
            ([0x51, 1], ParseError.notRecognized), ([0x50, 0], .forbiddenValue), ([0x50, 4], .forbiddenValue),
            ([0x50, 3, 0x80, 0, 0, 0, 0, 0, 0, 0], .forbiddenValue),
        ] as [([UInt8], ParseError)])
    func others(bytes: [UInt8], error: ParseError) {
        #expect(throws: error) { try PlaybackCommand(parsing: bytes.span.bytes) }
    }
}
