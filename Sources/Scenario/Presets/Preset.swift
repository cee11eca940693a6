/// A scenario that comes with the program.
public struct Preset: Sendable {
    /// What `rubato run` calls it.
    public let name: String
    /// One line on what it is.
    public let summary: String
    /// One line on where its numbers come from.
    public let source: String
    /// The scenario itself; `name:` in it is the same.
    public let yaml: String

    /// All of them, simplest first.
    public static let all: [Preset] = [.perfect, .lan, .iptv, .dslEvening, .wifiBusy, .satellite, .voip, .classroom]

    /// The preset of this name; nil where there is none.
    public static func named(_ name: String) -> Preset? { all.first { $0.name == name } }

    /// - Parameters:
    ///   - program: lines of the program, if it is not the usual one.
    ///   - body: what follows the name, the program and the two comment lines.
    init(_ name: String, _ summary: String, source: String, program: String = television, _ body: String) {
        self.name = name
        self.summary = summary
        self.source = source
        yaml = "# \(summary)\n# \(source)\nname: \(name)\nduration: 60s\nseed: 1\n\(program)\(body)\n"
    }

    /// Standard-definition television: half a second between I pictures, stereo sound.
    private static let television = """
        program:
          substreams:
            - id: video
              kind: video
              synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 4 Mbit/s, size_variation: 20% }
            - id: audio
              kind: audio
              synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 192 kbit/s }

        """
}
