import Timebase
import Wire

extension GroupMessage.Body {
    /// In a few words, for a log of events.
    var text: String {
        switch self {
        case .clock: "clock"
        case .poll(let round, _): "poll \(round)"
        case .answer(let answer): "answer \(answer.round)"
        case .correction(let correction): "correction \(correction.round): \(correction.amount.nanoseconds) ns"
        case .corrected(let round): "corrected \(round)"
        case .election: "election"
        case .alive: "alive"
        case .coordinator: "coordinator"
        case .ring(let ring):
            (ring.elected.map { "ring elected \($0)" } ?? "ring election")
                + " [" + ring.members.map { String($0) }.joined(separator: " ") + "]"
        case .ringAcknowledgment: "ring acknowledgment"
        case .ordered(let ordered): ordered.content.text
        case .received(let number): "received before \(number)"
        case .statement(let path, let value):
            "statement \(path.map { String($0) }.joined(separator: ".")): \(value)"
        }
    }
}

extension GroupMessage.Ordered.Content {
    var text: String {
        switch self {
        case .data(let number, _, let payload): "message \(number)" + Self.text(of: payload)
        case .acknowledgment(let node, let number): "acknowledgment \(node).\(number)"
        case .place(let place, let node, let number): "place \(place): \(node).\(number)"
        }
    }

    /// What a message to the group says, where that is a playback command.
    static func text(of payload: [UInt8]) -> String {
        (try? PlaybackCommand(parsing: payload.span.bytes)).map { ": \($0.text)" } ?? ""
    }
}
