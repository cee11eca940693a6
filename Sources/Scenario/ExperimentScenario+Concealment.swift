import Metrics
import Timebase

extension ExperimentScenario {
    /// What a receiver does about units that are missing or wrong.
    struct Concealed: Equatable, Sendable {
        var video: Video
        var audio: Audio
        /// How long a repeated frame takes to fade out.
        var fade: TimeSpan

        enum Video: String, Sendable, CaseIterable {
            /// Whatever can be decoded is shown, wrong or not.
            case carryOn = "carry-on"
            /// The last good picture stands until there is another.
            case freeze
        }

        enum Audio: String, Sendable, CaseIterable {
            case none
            case repetition = "repeat"
            case interpolation = "interpolate"
        }
    }
}

extension ExperimentScenario.Concealed {
    static let record = Record<Self>(
        // ITU-T G.711 appendix I is silent after 60 ms.
        Self(video: .carryOn, audio: .none, fade: .milliseconds(60)),
        [
            .key(
                "video", \.video, .words(),
                "Pictures that are not as they were sent: shown as a decoder makes them (carry-on), or the last good one stands until there is another (freeze)."
            ).like("freeze"),
            .key(
                "audio", \.audio, .words(),
                "Sound that is missing: silence, the last frame again and fading out (repeat), or of single frames a mean of their neighbours (interpolate)."
            ).like("repeat"),
            .key(
                "fade", \.fade, .time(.milliseconds(1)...ExperimentScenario.delays.upperBound),
                "How long what is repeated takes to fade out."),
        ])

    /// Of pictures; nil: nothing is done.
    var ofPictures: Concealment? { video == .freeze ? .freeze : nil }

    /// Of sound; nil: nothing is done.
    var ofSound: Concealment? {
        switch audio {
        case .none: nil
        case .repetition: .repetition(fade)
        case .interpolation: .interpolation
        }
    }
}
