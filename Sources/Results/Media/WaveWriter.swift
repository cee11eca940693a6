import Timebase
import Wire

/// Writes G.711 into a WAVE file, each stretch of sound at its time and silence between.
final class WaveWriter {
    private let file: OutputFile
    /// WAVE_FORMAT_MULAW or WAVE_FORMAT_ALAW (RFC 2361 §A).
    private let tag: UInt16
    /// What is silence (ITU-T G.711 §3): positive zero.
    private let silence: UInt8
    private var sampleCount: Int64 = 0
    private static let rate: Int64 = 8_000
    /// Bytes before the samples.
    private static let headerLength = 58

    init(_ file: OutputFile, _ format: RTPPayloadFormat) {
        self.file = file
        (tag, silence) = format.kind == .pcmu ? (7, 0xff) : (6, 0xd5)
        file.write(header)
    }

    /// Writes samples, a byte each, from `ticks` of 90 kHz on; what overlaps with those before is left out.
    func write(_ samples: [UInt8], at ticks: Int64) {
        let start = ticks.scaled(by: Self.rate, over: MediaClock.ninetyKilohertz, .nearest)
        while sampleCount < start { append(Array(repeating: silence, count: Int(min(start - sampleCount, 65_536)))) }
        append(Array(samples.dropFirst(Int(min(sampleCount - start, Int64(samples.count))))))
    }

    /// - Throws: ``SystemError``.
    func close() throws {
        // Chunks have an even length.
        if sampleCount % 2 == 1 { append([silence]) }
        file.overwriteBeginning(header)
        try file.close()
    }

    private func append(_ samples: [UInt8]) {
        file.write(samples)
        sampleCount += Int64(samples.count)
    }

    /// RIFF, with a format chunk of 18 bytes, the count of samples, and the beginning of the data.
    private var header: [UInt8] {
        let count = UInt32(clamping: sampleCount)
        func bytes<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
        var header = Array("RIFF".utf8) + bytes(count &+ UInt32(Self.headerLength - 8)) + Array("WAVEfmt ".utf8)
        header += bytes(18 as UInt32) + bytes(tag) + bytes(1 as UInt16) + bytes(UInt32(Self.rate))
        header += bytes(UInt32(Self.rate)) + bytes(1 as UInt16) + bytes(8 as UInt16) + bytes(0 as UInt16)
        return header + Array("fact".utf8) + bytes(4 as UInt32) + bytes(count) + Array("data".utf8) + bytes(count)
    }
}
