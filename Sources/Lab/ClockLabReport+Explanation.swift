import Emulator
import Results
import Timebase

extension ClockLabReport {
    /// The arithmetic of an exchange with the truth beside each term.
    ///
    /// - Parameter number: of the first run's exchanges, from 1.
    /// - Returns: nil where there is no such exchange.
    public func explanation(ofExchange number: Int) -> String? {
        guard let run = runs.first, run.exchanges.indices.contains(number - 1) else { return nil }
        let record = run.exchanges[number - 1]
        let exchange = record.exchange
        let there = exchange.requestReceived - exchange.requestSent
        let back = exchange.replySent - exchange.replyReceived
        let error = exchange.offset - record.trueOffset
        let (toServer, toClient) = (record.served.from - record.sent, record.at - record.served.to)
        var table = TextTable(header: ["", "measured", "true", ""], alignments: [.left, .right, .right, .left])
        func add(_ name: String, _ measured: String, _ truth: String = "", _ note: String = "") {
            table.add([
                TextTable.Cell(name), TextTable.Cell(measured), TextTable.Cell(truth), TextTable.Cell(note, .dim),
            ])
        }
        func exact(_ span: TimeSpan) -> String { "\(span.nanoseconds) ns" }
        func reading(_ instant: LocalInstant) -> String { "\(instant.nanoseconds) ns" }
        add("T1", reading(exchange.requestSent), "", "the request left, client's clock")
        add("T2", reading(exchange.requestReceived), "", "it came, server's clock")
        add("T3", reading(exchange.replySent), "", "the reply left, server's clock")
        add("T4", reading(exchange.replyReceived), "", "it came, client's clock")
        add("T2 - T1", exact(there), exact(toServer), "the way to the server, with the offset")
        add("T3 - T4", exact(back), exact(.zero - toClient), "less the way back, with the offset")
        add(
            "offset", exact(exchange.offset), exact(record.trueOffset),
            "((T2 - T1) + (T3 - T4)) / 2; server less client")
        let half = TimeSpan.nanoseconds((toServer - toClient).nanoseconds / 2)
        add("delay", exact(exchange.delay), exact(toServer + toClient), "(T4 - T1) - (T3 - T2)")
        add("error", exact(error), exact(half), "half of what the way there takes longer")
        let title =
            "exchange \(number) of \(run.exchanges.count): \(run.setting), asymmetry "
            + "\(Format.time(run.asymmetry.nanoseconds)), seed \(run.seed), node r\(record.node) at "
            + "\(Format.time(record.at.nanoseconds)), " + (exchange.isUsed ? "used" : "not used")
        return ([title] + table.lines(StyledText(isColoured: false))).joined(separator: "\n") + "\n"
    }
}
