import Analysis
import Emulator
import Receiver
import Scenario

extension PlayoutAssumption {
    /// A receiver as `--assume-playout` describes it, NAME:VALUE for `playout: { NAME: VALUE }` of a scenario: "fixed:60ms".
    ///
    /// The scenario's own words are read by the scenario's own reader, so that whatever a receiver can be there it can
    /// be here.
    ///
    /// - Throws: ``UserFacingError``.
    package init(parsing text: String) throws {
        guard let colon = text.firstIndex(of: ":") else {
            throw UserFacingError.usage(
                "--assume-playout '\(text)' is not NAME:VALUE", remedy: "write --assume-playout fixed:60ms")
        }
        let setting = ScenarioSetting(
            path: "receivers.0.playout.\(text[..<colon])", value: String(text[text.index(after: colon)...]),
            option: "--assume-playout \(text)")
        do throws(ScenarioProblems) {
            self.init(
                name: text, rtp: try Self.receiver(setting, carriage: "ts-rtp"),
                plain: try Self.receiver(setting, carriage: "ts-udp"))
        } catch {
            throw UserFacingError.usage(error.description)
        }
    }

    private static func receiver(
        _ setting: ScenarioSetting, carriage: String
    ) throws(ScenarioProblems) -> ReceiverConfiguration {
        let document = ScenarioDocument(
            title: "replay",
            text: """
                duration: 1s
                program:
                  substreams:
                    - { id: a, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
                sender: { carriage: \(carriage) }
                receivers: [ { id: r, playout: { fixed: 60ms } } ]
                """)
        let configuration = try WorldBuilder(try document.resolve([setting]), title: "replay").configuration()
        guard let receiver = configuration.receivers.first else { throw ScenarioProblems([]) }
        return receiver.media
    }
}
