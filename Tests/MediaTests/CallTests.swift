import Testing
import Timebase
import Wire

@testable import Media

@Suite("Synthetic calls")
struct CallTests {
    private static func program(
        _ call: SyntheticCall, duration: TimeSpan? = .seconds(10), id: String = "speech", seed: UInt64 = 1
    ) throws -> Program {
        try Program(
            synthetic: [SubstreamRequest(id: id, kind: .audio, content: .call(call))], duration: duration,
            key: DrawKey(seed: seed))
    }

    private static func units(_ program: Program, limit: Int = .max) -> [MediaUnit] {
        var source = program.source(0)
        var units: [MediaUnit] = []
        while units.count < limit, let unit = source.next() { units.append(unit) }
        return units
    }

    private static func bytes(_ program: Program, _ unit: MediaUnit) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: unit.elementaryByteCount)
        bytes.withUnsafeMutableBytes {
            program.source(0).writer.write(unit, from: unit.byteCount - unit.elementaryByteCount, into: $0)
        }
        return bytes
    }

    private static let opus = SyntheticCall(.opus(BitRate(bitsPerSecond: 24_000), variation: 0.3))

    // MARK: G.711

    /// ITU-T G.711 by its segments, in units of its tables: 14 bits of the µ-law, 13 of the A-law.
    private static func expand(_ byte: UInt8, aLaw: Bool) -> Double {
        let code = aLaw ? byte ^ 0x55 : ~byte
        let (segment, step) = (Int(code >> 4 & 7), Double(code & 15))
        let scale = Double(1 << (aLaw ? max(0, segment - 1) : segment))
        let size = aLaw ? (2 * step + (segment == 0 ? 1 : 33)) * scale : (2 * step + 33) * scale - 33
        return (code & 0x80 != 0) == aLaw ? size : -size
    }

    @Test("G.711 is a tone of 1 kHz at 0 dBm0, by either law", arguments: [false, true])
    func tone(aLaw: Bool) throws {
        let program = try Self.program(SyntheticCall(aLaw ? .pcma : .pcmu))
        let units = Self.units(program)
        #expect(units.count == 500 && program.substreams[0].codecName == (aLaw ? "pcma" : "pcmu"))
        let samples = units.prefix(3).flatMap { Self.bytes(program, $0) }.map { Self.expand($0, aLaw: aLaw) }
        #expect(samples.count == 480)
        // A sine at the overload point has 3.17 dBm0 by the µ-law and 3.14 by the A-law, of 8,159 and 4,096.
        let full = aLaw ? 4_096.0 : 8_159
        let level = aLaw ? 0.696_6 : 0.694_2  // 10^(-3.14 / 20), 10^(-3.17 / 20)
        // What the 8 kHz sampling makes of it repeats every 8 samples, halves of opposite sign: nothing but odd harmonics
        // of 1 kHz, and but 0.5 % of the power outside the first.
        for (index, sample) in samples.enumerated() { #expect(sample == -samples[(index + 4) % 480]) }
        let power = samples.map { $0 * $0 }.reduce(0, +) / 480
        #expect(abs(power / (full * level * full * level / 2) - 1) < 0.01)
        let sines: [Double] = [0.382_683_432, 0.923_879_533, 0.923_879_533, 0.382_683_432]
        let first = (0..<4).reduce(0) { $0 + sines[$1] * samples[$1] } / 2
        #expect(first * first / 2 / power > 0.995)
    }

    @Test(
        "packets of G.711 are whole milliseconds, 8 bytes each",
        arguments: [(1, 8), (10, 80), (20, 160), (30, 240), (200, 1_600)] as [(Int64, Int)])
    func packetLengths(milliseconds: Int64, count: Int) throws {
        let program = try Self.program(SyntheticCall(.pcmu, packetDuration: .milliseconds(milliseconds)))
        let units = Self.units(program)
        #expect(units.allSatisfy { $0.elementaryByteCount == count && $0.duration == 90 * milliseconds })
        #expect(units.enumerated().allSatisfy { $1.presentation == 900_000 + Int64($0) * 90 * milliseconds })
        #expect(program.substreams[0].fillingDuration == 90 * milliseconds)
    }

    // MARK: Opus

    @Test(
        "a packet of Opus says how long it lasts, and lies behind the header that transport streams want",
        arguments: [2_500, 5_000, 10_000, 20_000] as [Int64])
    func opusPackets(microseconds: Int64) throws {
        let rate = BitRate(bitsPerSecond: 510_000)
        let program = try Self.program(
            SyntheticCall(.opus(rate, variation: 0.3), packetDuration: .microseconds(microseconds)))
        let units = Self.units(program)
        #expect(units.count == Int(10_000_000 / microseconds))
        for unit in units.prefix(200) {
            let bytes = Self.bytes(program, unit)
            let range = try OpusPacket.range(inTransportStreamUnit: bytes.span.bytes, at: 0)
            #expect(range.upperBound == bytes.count && range.count <= 1_276)
            let packet = try OpusPacket(parsing: bytes.span.bytes.extracting(range))
            #expect(Int64(packet.samples) * 1_000 == microseconds * 48)
            // What encoders send for silence begins so: one frame, full band, and a first symbol of ones.
            #expect(bytes[range.lowerBound] & 7 == 0 && bytes[range.lowerBound + 1] == 0xff)
        }
    }

    @Test("Opus keeps its bit rate over every fifty packets")
    func opusRate() throws {
        let program = try Self.program(Self.opus)
        let sizes = Self.units(program).map { $0.elementaryByteCount - 3 }
        for start in stride(from: 0, to: 500, by: 50) { #expect(sizes[start..<start + 50].reduce(0, +) == 3_000) }
        #expect(Set(sizes).count > 20)
    }

    // MARK: Talk spurts

    private static func rhythm(on: Int64, off: Int64) -> SyntheticCall {
        SyntheticCall(.pcmu, talkSpurts: .init(on: .milliseconds(on), off: .milliseconds(off)))
    }

    /// Lengths in packets: of what is sent together, and of the silences between.
    private static func lengths(_ units: [MediaUnit]) -> (on: [Double], off: [Double]) {
        var (on, off) = ([1.0], [Double]())
        for (before, unit) in zip(units, units.dropFirst()) {
            let gap = (unit.presentation - before.presentation) / 1_800 - 1
            if gap == 0 {
                on[on.count - 1] += 1
            } else {
                off.append(Double(gap))
                on.append(1)
            }
        }
        return (on, off)
    }

    @Test(
        "talk spurts and silences are geometric with the means asked for",
        arguments: [(1_000, 1_500), (60, 40), (20, 200)])
    func talkSpurts(on: Int64, off: Int64) throws {
        let program = try Self.program(Self.rhythm(on: on, off: off), duration: nil)
        let units = Self.units(program, limit: 40_000)
        #expect(units[0].presentation == 900_000 && units.allSatisfy { $0.duration == 1_800 })
        #expect(units.enumerated().allSatisfy { $1.index == Int64($0) })
        let lengths = Self.lengths(units)
        for (values, mean) in [(lengths.on.dropLast(), Double(on) / 20), (lengths.off[...], Double(off) / 20)] {
            let count = Double(values.count)
            let seen = values.reduce(0, +) / count
            // Geometric from 1 on: variance m (m - 1); five sigma; seed 1.
            #expect(abs(seen - mean) <= 5 * (mean * (mean - 1) / count).squareRoot(), "\(seen) of \(mean)")
            // A share of 1 / m has length one.
            let ones = Double(values.count { $0 == 1 }) / count
            #expect(abs(ones - 1 / mean) <= 5 * (1 / mean * (1 - 1 / mean) / count).squareRoot(), "\(ones)")
        }
    }

    @Test("a call's spurts are its own: by seed and by name, and none moves with the duration")
    func independence() throws {
        let call = Self.rhythm(on: 1_000, off: 1_500)
        let times = Self.units(try Self.program(call, duration: .seconds(60))).map(\.presentation)
        #expect(times == Self.units(try Self.program(call, duration: .seconds(60))).map(\.presentation))
        let longer = Self.units(try Self.program(call, duration: .seconds(90))).map(\.presentation)
        #expect(Array(longer.prefix(times.count)) == times && times.last ?? 0 < 900_000 + 60 * 90_000)
        #expect(times != Self.units(try Self.program(call, duration: .seconds(60), seed: 2)).map(\.presentation))
        #expect(times != Self.units(try Self.program(call, duration: .seconds(60), id: "other")).map(\.presentation))
    }

    // MARK: What cannot be

    @Test("what the codecs cannot do is refused")
    func refused() {
        let notACall = SyntheticProgramError.notACall(id: "speech")
        for call in [
            SyntheticCall(.pcmu, packetDuration: .microseconds(2_500)),
            SyntheticCall(.pcma, packetDuration: .milliseconds(201)),
            SyntheticCall(.opus(BitRate(bitsPerSecond: 24_000), variation: 0), packetDuration: .milliseconds(40)),
            Self.rhythm(on: 19, off: 1_000), Self.rhythm(on: 1_000, off: 0),
        ] {
            #expect(throws: notACall) { try Self.program(call) }
        }
        for (rate, length) in [(6_000, 2_500), (600_000, 20_000)] as [(UInt64, Int64)] {
            let call = SyntheticCall(
                .opus(BitRate(bitsPerSecond: rate), variation: 0), packetDuration: .microseconds(length))
            #expect(throws: SyntheticProgramError.bitRateOutOfRange(id: "speech")) { try Self.program(call) }
        }
    }
}
