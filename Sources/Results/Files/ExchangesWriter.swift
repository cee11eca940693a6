import Emulator
import Timebase

/// `exchanges.csv`: `t_ns,node,server,t1_ns,t2_ns,t3_ns,t4_ns,offset_ns,true_offset_ns,delay_ns,used`, a row for each
/// exchange with a time server, or of Berkeley's coordinator with a member, which stands as the server.
///
/// T1 and T4 by the client's clock, T2 and T3 by the server's, all from emulated time zero; offsets are the server's clock
/// minus the client's when the reply came, as measured and in truth; `t_ns` is true time then.
final class ExchangesWriter {
    private let file: OutputFile
    private let nodes: [String]

    init(_ file: OutputFile, nodes: [String]) {
        self.file = file
        self.nodes = nodes
        file.write("t_ns,node,server,t1_ns,t2_ns,t3_ns,t4_ns,offset_ns,true_offset_ns,delay_ns,used\n")
    }

    func append(_ record: ExchangeRecord) {
        let exchange = record.exchange
        let names = "\(csvField(nodes[record.node])),\(csvField(nodes[record.server]))"
        let stamps = [exchange.requestSent, exchange.requestReceived, exchange.replySent, exchange.replyReceived]
            .map(\.nanoseconds.description).joined(separator: ",")
        let offsets = "\(exchange.offset.nanoseconds),\(record.trueOffset.nanoseconds)"
        file.write(
            "\(record.at.nanoseconds),\(names),\(stamps),\(offsets),\(exchange.delay.nanoseconds),\(exchange.isUsed)\n")
    }

    /// - Throws: ``SystemError``.
    func close() throws { try file.close() }
}
