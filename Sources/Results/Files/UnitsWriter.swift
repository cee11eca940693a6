import Emulator
import Timebase

/// `units.csv`: a row for each unit of each substream and each receiver, in decoding order, when its fate is known.
///
/// `unit` counts from 0. `presentation_ns` is its place on the program's timeline, `pts` that in its bytes; `frames` are of
/// sound, as many as it holds, and 1 for all else. `decodable` is empty for what never came.
final class UnitsWriter {
    private let file: OutputFile
    /// By receiver and substream, what their rows begin with.
    private let prefixes: [[[UInt8]]]

    init(_ file: OutputFile, receivers: [String], substreams: [String]) {
        self.file = file
        prefixes = receivers.map { receiver in
            substreams.map { Array("\(csvField(receiver)),\(csvField($0)),".utf8) }
        }
        file.write("receiver,substream,unit,type,pts,presentation_ns,duration_ns,bytes,frames,")
        file.write("presented,decodable,intact_frames\n")
    }

    func append(_ record: UnitRecord) {
        file.write(prefixes[record.receiver][record.lane])
        file.write(decimal: record.number)
        write(record.pictureType)
        write(record.pts)
        write(record.presentation.nanoseconds)
        write(record.duration.nanoseconds)
        write(Int64(record.byteCount))
        write(Int64(record.frameCount))
        write(record.outcome.name)
        write(record.decodable)
        write(Int64(record.intactFrameCount))
        file.write(byte: UInt8(ascii: "\n"))
    }

    /// - Throws: ``SystemError``.
    func close() throws { try file.close() }

    private func write(_ number: Int64) {
        file.write(byte: UInt8(ascii: ","))
        file.write(decimal: number)
    }

    private func write(_ name: StaticString) {
        file.write(byte: UInt8(ascii: ","))
        file.write(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}
