import Emulator
import Metrics
import Testing
import Timebase

@testable import Scenario

@Suite("Lip-sync profiles")
struct LipSyncProfileTests {
    /// Two sound tracks on ways of their own, both later than the pictures by what is given; the receiver's profile.
    private func scenario(_ first: Int, _ second: Int, profile: String = "itu-bt1359") -> String {
        """
        duration: 10s
        program:
          substreams:
            - { id: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 300 kbit/s } }
            - { id: english, kind: audio, synthetic: { codec: mp2, bitrate: 64 kbit/s } }
            - { id: deutsch, kind: audio, synthetic: { codec: mp2, bitrate: 64 kbit/s } }
        sender: { carriage: rtp-separate }
        network:
          forward: [ { delay: 200ms } ]
          flows:
            english: { forward: [ { delay: \(200 + first)ms } ] }
            deutsch: { forward: [ { delay: \(200 + second)ms } ] }
        receivers: [ { id: tv, playout: { fixed: 100ms }, lip_sync: { profile: \(profile) } } ]
        """
    }

    @Test("each sound track is a pair of its own, by its name")
    func pairs() throws {
        let seen = try SessionsTests.run(scenario(30, -20))
        #expect(
            seen.lipSync.map { "\($0.receiver) \($0.audio) \($0.video)" } == ["tv english video", "tv deutsch video"])
        for (pair, skew) in zip(seen.lipSync, [-30_000_000, 20_000_000] as [Int64]) {
            let measured = try #require(pair.skew)
            #expect(abs(measured.minimum - skew) < 100_000 && abs(measured.maximum - skew) < 100_000)
        }
    }

    /// By receiver.md: audio may lead by the first and lag by the second, milliseconds.
    static let limits: [(profile: String, lead: Int, lag: Int)] = [
        ("itu-bt1359", 45, 125), ("ebu-r37", 40, 60), ("atsc-is191", 15, 45), ("steinmetz", 80, 80),
    ]

    @Test("a profile's limits are its source's", arguments: limits)
    func bounds(profile: String, lead: Int, lag: Int) throws {
        // A millisecond inside of each limit, then a millisecond outside.
        for (first, second, share) in [(lag - 1, 1 - lead, 1.0), (lag + 1, -1 - lead, 0.0)] {
            let seen = try SessionsTests.run(scenario(first, second, profile: profile))
            #expect(seen.lipSync.count == 2)
            for pair in seen.lipSync {
                #expect(pair.profile == profile && pair.withinProfile == share, "\(pair.audio) \(first) \(second)")
            }
        }
    }

    @Test("a contract names a profile, or each receiver's own", arguments: limits.map(\.profile) + ["profile"])
    func contract(profile: String) throws {
        let name = profile == "itu-bt1359" ? "itu-bt1359 detectability" : profile
        let scenario = try resolve(
            scenario(0, 0) + "\nqos: { lip_sync: 'within \(name) for 99%' }")
        let key = profile == "itu-bt1359" ? "itu_detectability" : profile.split(separator: "-").joined(separator: "_")
        #expect(scenario.qos.checks.map(\.metric) == ["lip_sync.covered_within.\(key)"])
        #expect(try resolve(scenario.resolvedYAML) == scenario)
    }
}
