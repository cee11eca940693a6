import Emulator
import Timebase

/// `series.csv`: `t_ns,entity,metric,value,unit`, a row for each value of each column at each instant.
final class SeriesWriter {
    /// What stays the same in a column's rows, ready to be copied.
    struct Column: Sendable {
        fileprivate let beforeValue: [UInt8]
        fileprivate let afterValue: [UInt8]

        /// - Parameters:
        ///   - entity: "tv", "forward.0".
        ///   - unit: "ns", "bit/s", "packets".
        init(entity: String, metric: String, unit: String) {
            beforeValue = Array(",\(csvField(entity)),\(csvField(metric)),".utf8)
            afterValue = Array(",\(csvField(unit))\n".utf8)
        }
    }

    private let file: OutputFile

    init(_ file: OutputFile) {
        self.file = file
        file.write("t_ns,entity,metric,value,unit\n")
    }

    /// Writes a row; allocates nothing.
    ///
    /// - Parameter nanoseconds: true time since emulated time zero.
    func append(at nanoseconds: Int64, _ column: borrowing Column, _ value: Int64) {
        file.write(decimal: nanoseconds)
        file.write(column.beforeValue)
        file.write(decimal: value)
        file.write(column.afterValue)
    }

    /// Writes a row with a number that is not whole, as the shortest text that reads back the same; an infinite or
    /// undefined value leaves the field empty.
    func append(at nanoseconds: Int64, _ column: borrowing Column, _ value: Double) {
        file.write(decimal: nanoseconds)
        file.write(column.beforeValue)
        if value.isFinite { file.write(value.description) }
        file.write(column.afterValue)
    }

    /// - Throws: ``SystemError``.
    func close() throws { try file.close() }
}

/// `packets.csv`: `flow,receiver,sequence,length,sent,arrived,released,fate`, a row for each datagram and receiver.
///
/// Instants are true time in nanoseconds since emulated time zero; empty where the datagram never got so far.
final class PacketsWriter {
    /// A flow at a receiver, ready to be copied.
    struct Flow: Sendable {
        fileprivate let prefix: [UInt8]

        init(flow: String, receiver: String) {
            prefix = Array("\(csvField(flow)),\(csvField(receiver)),".utf8)
        }
    }

    private let file: OutputFile

    init(_ file: OutputFile) {
        self.file = file
        file.write("flow,receiver,sequence,length,sent,arrived,released,fate\n")
    }

    /// Writes a datagram's row; allocates nothing.
    func append(_ flow: borrowing Flow, _ record: PacketRecord) {
        file.write(flow.prefix)
        file.write(decimal: Int64(record.number))
        file.write(byte: comma)
        file.write(decimal: Int64(record.length))
        file.write(byte: comma)
        file.write(decimal: record.sent.nanoseconds)
        file.write(byte: comma)
        if let arrived = record.arrived { file.write(decimal: arrived.nanoseconds) }
        file.write(byte: comma)
        if let released = record.released { file.write(decimal: released.nanoseconds) }
        file.write(byte: comma)
        let name = record.fate.name
        file.write(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        file.write(byte: UInt8(ascii: "\n"))
    }

    /// - Throws: ``SystemError``.
    func close() throws { try file.close() }

    private var comma: UInt8 { UInt8(ascii: ",") }
}

/// A field of a CSV file (RFC 4180): quoted when it must be.
package func csvField(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
