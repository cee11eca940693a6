import Emulator
import Foundation
import Metrics
import Scenario
import Testing
import Timebase

/// Scenarios whose course of events is pinned: the first line of each names its digest.
///
/// A digest that changes means that the same scenario and seed no longer give the same run. Where that is meant, the
/// new digest, which the failure prints, goes into the file with the change that caused it.
@Suite("Reference scenarios")
struct ReferenceTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Reference")

    static func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }.sorted()
    }

    @Test("a scenario runs as it always has", arguments: try files())
    func digest(file: String) throws {
        let path = Self.folder.appendingPathComponent(file).path
        let document = try ScenarioDocument.load(path)
        let pinned = try #require(
            document.text.split(separator: "\n").first?.split(separator: " ").last.map(String.init))
        let scenario = try document.resolve()
        var world = World(try WorldBuilder(scenario, title: file).configuration())
        VirtualTime.run(&world)
        let measurements = world.measurements()
        #expect(measurements.digest.hexadecimal == pinned, "\(file)")
        #expect(world.packetsUnderWay == 0)
        for flow in measurements.flows {
            let fates = flow.delivered + flow.lostLink + flow.droppedQueue + flow.droppedChecksum
            #expect(flow.sent + flow.duplicated == fates, "\(file) \(flow.receiver)")
        }
    }

    @Test("there are reference scenarios")
    func present() throws {
        #expect(try Self.files().count >= 3)
    }
}
