import Capture
import Emulator
import Media
import Timebase

/// What pictures are judged by: `sent.ts`, what each receiver showed with the times at which it was captured, and what
/// became of every picture.
package final class QualityMedia {
    /// One picture that was sent, at one receiver.
    struct Picture: Sendable {
        /// From 0, in decoding order.
        let number: Int64
        /// 90 kHz, modulo 2^33.
        let pts: Int64
        /// On the program's timeline.
        let captured: TimeSpan
        /// What of it came in time, and what a decoder makes of it, as units.csv names them.
        let outcome: StaticString
        let decodable: StaticString
        /// When it came on screen; nil: never.
        var shown: Instant?
    }

    /// The substreams with pictures, by number in the program.
    package let lanes: [Int]
    private let configuration: WorldConfiguration
    private let media: MediaOutputs
    /// By receiver and substream.
    private var pictures: [[[Picture]]]
    private var instants: [[[Int64: Instant]]]

    /// Whether a program has any.
    package static func hasPictures(_ configuration: WorldConfiguration) -> Bool { !lanes(configuration).isEmpty }

    private static func lanes(_ configuration: WorldConfiguration) -> [Int] {
        let substreams = configuration.program.substreams
        return substreams.indices.filter { substreams[$0].kind == .video }
    }

    /// What a World has to tell for it.
    package static func taps(_ taps: inout WorldTaps) {
        (taps.media, taps.presentations, taps.units) = (true, true, true)
    }

    /// - Throws: ``SystemError``.
    package init(_ configuration: WorldConfiguration, in directory: RunDirectory) throws {
        self.configuration = configuration
        let substreams = configuration.program.substreams
        lanes = Self.lanes(configuration)
        media = try MediaOutputs(
            .init(sent: true, received: false, presented: ("shown", .shown)), configuration, in: directory)
        pictures = configuration.receivers.map { _ in substreams.map { _ in [] } }
        instants = configuration.receivers.map { _ in substreams.map { _ in [:] } }
    }

    /// The name of the file with what a receiver showed.
    package func shownPath(receiver: Int) -> String { MediaOutputs.path("shown", receiver, ".ts", configuration) }

    /// Takes one effect.
    package func take(_ output: WorldOutput, of world: borrowing World) {
        switch output {
        case .unit(let record):
            guard lanes.contains(record.lane) else { return }
            pictures[record.receiver][record.lane].append(
                Picture(
                    number: record.number, pts: record.pts, captured: record.presentation,
                    outcome: record.outcome.name, decodable: record.decodable))
        case .presented(let unit):
            if unit.isShown, let ticks = unit.presentation {
                instants[unit.receiver][unit.lane][ticks & 0x1_ffff_ffff] = unit.at
            }
            media.take(output, of: world)
        default: media.take(output, of: world)
        }
    }

    /// - Throws: ``SystemError``.
    package func close() throws { try media.close() }

    /// The pictures of a substream in the order of their capture.
    func pictures(receiver: Int, lane: Int) -> [Picture] {
        pictures[receiver][lane].map { picture in
            var picture = picture
            picture.shown = instants[receiver][lane][picture.pts]
            return picture
        }.sorted { ($0.captured, $0.number) < ($1.captured, $1.number) }
    }

    /// Whether any picture of a substream was shown.
    package func showsAny(receiver: Int, lane: Int) -> Bool { !instants[receiver][lane].isEmpty }

    func receiverID(_ receiver: Int) -> String { configuration.receivers[receiver].id }
    func substreamID(_ lane: Int) -> String { configuration.program.substreams[lane].id }
    /// How many receivers there are.
    package var receiverCount: Int { configuration.receivers.count }
}
