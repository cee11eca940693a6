import Media
@testable import Sender
import Testing
import Timebase

/// The programs that the tests multiplex.
enum TestProgram: String, CaseIterable, Sendable {
    case television, radio, opaqueOnly, manySubstreams, slides

    var requests: [SubstreamRequest] {
        switch self {
        case .television: [Self.video(2_000_000), Self.audio("audio", 192_000)]
        case .radio: [Self.audio("audio", 128_000)]
        case .opaqueOnly:
            [
                SubstreamRequest(
                    id: "data", kind: .data,
                    content: .opaque(
                        SyntheticOpaque(
                            unitRate: UnitRate(count: 10, every: .seconds(1))!, volume: .unitSize(5_000),
                            sizeVariation: 0.5)))
            ]
        case .manySubstreams:
            [
                Self.video(1_500_000), Self.audio("audio", 192_000), Self.audio("audio-2", 64_000),
                Self.audio("audio-3", 384_000),
                SubstreamRequest(
                    id: "data", kind: .data,
                    content: .opaque(
                        SyntheticOpaque(
                            unitRate: UnitRate(count: 30_000, every: .seconds(1_001))!, volume: .unitSize(170)))),
            ]
        case .slides:
            [Self.audio("audio", 64_000), SubstreamRequest(id: "slides", kind: .data, content: .trace(Self.trace))]
        }
    }

    static var trace: UnitTrace {
        try! UnitTrace(csv: Array("time,size\n0,100\n0.5,9000\n0.5,1\n2,30000\n2.25,70000\n".utf8))
    }

    static func video(_ rate: UInt64) -> SubstreamRequest {
        SubstreamRequest(
            id: "video", kind: .video,
            content: .h264(
                SyntheticVideo(
                    frameRate: UnitRate(count: 25, every: .seconds(1))!,
                    groupOfPictures: GroupOfPictures("IBBPBBPBBPBB")!,
                    bitRate: BitRate(bitsPerSecond: rate), sizeVariation: 0.3)))
    }

    static func audio(_ id: String, _ rate: UInt64) -> SubstreamRequest {
        SubstreamRequest(id: id, kind: .audio, content: .mp2(SyntheticAudio(bitRate: BitRate(bitsPerSecond: rate))))
    }

    func program(duration: TimeSpan = .seconds(4)) throws -> Program {
        try Program(synthetic: requests, duration: duration, key: DrawKey(seed: 5))
    }

    static let window = TimeSpan.milliseconds(300)

    static func timing(_ program: Program) -> (leads: [TimeSpan], latency: TimeSpan) {
        (program.substreams.map { _ in window }, window + ProgramDemand(program).longestReordering)
    }

    static func leastRate(_ program: Program, sendsNullPackets: Bool = true) throws -> BitRate {
        let (leads, latency) = timing(program)
        return try #require(
            MultiplexFeasibility(
                program, leads: leads, latency: latency, longestWait: sendsNullPackets ? .zero : .milliseconds(20)
            ).leastRate(from: BitRate(bitsPerSecond: 1_000), ceiling: BitRate(bitsPerSecond: 100_000_000)))
    }

    /// At the least rate that the planner finds.
    static func plan(_ program: Program, sendsNullPackets: Bool = true, packetsPerDatagram: Int = 7) throws
        -> MultiplexPlan
    {
        let (leads, latency) = timing(program)
        return MultiplexPlan(
            rate: try leastRate(program, sendsNullPackets: sendsNullPackets), sendsNullPackets: sendsNullPackets,
            leads: leads, latency: latency, packetsPerDatagram: packetsPerDatagram)
    }
}

/// One transport packet as sent.
struct SentPacket {
    var bytes: [UInt8]
    /// Its number in the stream, from 0.
    var index: Int
    /// When its datagram was complete.
    var end: TimeSpan

    var pid: UInt16 { (UInt16(bytes[1]) << 8 | UInt16(bytes[2])) & 0x1fff }
    var starts: Bool { bytes[1] & 0x40 != 0 }
    var hasPayload: Bool { bytes[3] & 0x10 != 0 }
    var continuity: UInt8 { bytes[3] & 15 }
    var adaptationCount: Int { bytes[3] & 0x20 != 0 ? Int(bytes[4]) + 1 : 0 }
    var payload: ArraySlice<UInt8> { hasPayload ? bytes[(4 + adaptationCount)...] : [] }
    /// 27 MHz ticks.
    var pcr: Int64? {
        guard adaptationCount >= 8, bytes[5] & 0x10 != 0 else { return nil }
        let base = bytes[6...9].reduce(Int64(0)) { $0 << 8 | Int64($1) } << 1 | Int64(bytes[10] >> 7)
        return base * 300 + (Int64(bytes[10] & 1) << 8 | Int64(bytes[11]))
    }
}

extension Multiplexer {
    /// Everything that is still to be sent.
    mutating func drain() -> [SentPacket] {
        var packets: [SentPacket] = []
        var buffer = [UInt8](repeating: 0, count: 188 * plan.packetsPerDatagram)
        while let datagram = buffer.withUnsafeMutableBytes({ nextDatagram(into: $0) }) {
            for index in 0..<datagram.packets {
                packets.append(
                    SentPacket(
                        bytes: Array(buffer[188 * index..<188 * index + 188]), index: packets.count, end: datagram.end))
            }
        }
        return packets
    }
}
