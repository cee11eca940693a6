import Timebase

/// `events.jsonl`: a line for each event of a node in logical time, a JSON object with the keys
/// `host, clock, event, lamport, t_ns` in this order.
///
/// `clock` is the vector stamp: of each node that has had events, how many. ShiViz reads the file by the expression
/// `{"host":"(?<host>[^"]*)","clock":(?<clock>{[^}]*}),"event":"(?<event>[^"]*)".*}`.
final class EventsWriter {
    private let file: OutputFile
    /// The nodes of the group in the order of the vectors; their names have nothing in them that JSON escapes.
    private let nodes: [String]

    init(_ file: OutputFile, nodes: [String]) {
        self.file = file
        self.nodes = nodes
    }

    /// - Parameter nanoseconds: true time since emulated time zero.
    func append(_ event: LogicalEvent, node: Int, at nanoseconds: Int64) {
        let counts = zip(nodes, event.stamp.vector).filter { $0.1 > 0 }
        let clock = counts.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
        let text: String
        switch event.action {
        case .sent(let peers): text = "\(event.text) to \(peers.map { nodes[Int($0)] }.joined(separator: " "))"
        case .received(let peer), .delivered(let peer, _, _): text = "\(event.text) from \(nodes[Int(peer)])"
        case .internalEvent: text = event.text
        }
        // Escapes would stop a reader that goes by the expression.
        let plain = String(text.map { $0 == "\"" || $0 == "\\" || $0.isNewline ? "'" : $0 })
        file.write(
            "{\"host\":\"\(nodes[node])\",\"clock\":{\(clock)},\"event\":\"\(plain)\",\"lamport\":\(event.stamp.lamport)"
                + ",\"t_ns\":\(nanoseconds)}\n")
    }

    /// - Throws: ``SystemError``.
    func close() throws { try file.close() }
}
