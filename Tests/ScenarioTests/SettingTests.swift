import Testing
import Timebase

@testable import Scenario

@Suite("Settings from the command line")
struct SettingTests {
    static let base = """
        program: { file: a.ts }
        network:
          forward:
            - { delay: 20ms, loss: { gilbert_elliott: { loss: 1%, mean_burst: 3 } } }
            - { rate: 1 Mbit/s, jitter: none }
        receivers:
          - { id: tv, playout: { fixed: 150ms } }
        """

    @Test func aValueIsReplaced() throws {
        #expect(try resolve(Self.base, ["network.forward.0.delay=35ms"]).forward[0].delay == .milliseconds(35))
        #expect(try resolve(Self.base, ["seed=7", "seed=8"]).seed == 8)
    }

    private func bursts(_ loss: Double, _ burst: Double) -> ExperimentScenario.Link.Loss {
        .gilbertElliott(.init(law: .bursts(loss: Ratio(loss), meanBurst: burst, longestBurst: nil), step: nil))
    }

    @Test func oneAlternativeReplacesTheOther() throws {
        let scenario = try resolve(Self.base, ["network.forward.0.loss.bernoulli=2%"])
        #expect(scenario.forward[0].loss == .bernoulli(Ratio(0.02)))
        let back = try resolve(
            Self.base,
            [
                "network.forward.0.loss.bernoulli=2%", "network.forward.0.loss.gilbert_elliott.loss=3%",
                "network.forward.0.loss.gilbert_elliott.mean_burst=4",
            ])
        #expect(back.forward[0].loss == bursts(0.03, 4))
        #expect(try resolve(Self.base, ["network.forward.0.loss=none"]).forward[0].loss == nil)
        let jitter = try resolve(Self.base, ["network.forward.1.jitter.uniform.half_range=1ms"]).forward[1].jitter
        #expect(jitter?.law == .uniform(halfRange: .milliseconds(1)))
    }

    @Test func aPartOfAnAlternativeKeepsTheRest() throws {
        let scenario = try resolve(Self.base, ["network.forward.0.loss.gilbert_elliott.loss=2%"])
        #expect(scenario.forward[0].loss == bursts(0.02, 3))
    }

    @Test func theProgramIsExchanged() throws {
        let preset = ScenarioDocument(title: "p.yaml", text: try #require(Preset.named("iptv")).yaml)
        let file = try preset.resolve([ScenarioSetting(argument: "program.file=/tmp/x.ts")], checksFiles: false)
        #expect(file.program == .file(.init(path: "/tmp/x.ts", loops: false, sha256: nil)))
        let streams = try resolve(
            "program: { file: a.ts, loop: true }", ["program.substreams.0.id=d", "program.substreams.0.trace=/d.csv"])
        #expect(streams.program == .substreams([.init(id: "d", kind: .data, source: .trace(path: "/d.csv"))]))
    }

    @Test func whatIsMissingIsMade() throws {
        let scenario = try resolve(
            "program: { file: a.ts }",
            [
                "network.forward.0.rate=1 Mbit/s", "network.forward.1.delay=5ms", "qos.bitrate=>= 4 Mbit/s",
                "receivers.0.count=3", "clocks.sender.offset=-5ms",
            ])
        #expect(scenario.forward.map(\.capacity) == [.constant(BitRate(bitsPerSecond: 1_000_000)), .unlimited])
        #expect(scenario.forward[1].delay == .milliseconds(5))
        #expect(scenario.qos.checks.map(\.text) == [">= 4 Mbit/s"])
        #expect(scenario.expandedReceivers.map(\.id) == ["receiver.1", "receiver.2", "receiver.3"])
        #expect(scenario.senderClock.offset == .milliseconds(-5))
    }

    @Test("media files of each of many receivers are asked for", arguments: [1, 16, 17, 500])
    func mediaOfMany(receivers: Int) throws {
        let settings = ["receivers.0.count=\(receivers)"]
        let outputs = try resolve("program: { file: a.ts }", settings).outputs
        #expect(outputs.sentMedia && outputs.receivedMedia == (receivers <= 16))
        #expect(outputs.presentedMedia == outputs.receivedMedia)
        let asked = try resolve("program: { file: a.ts }", settings + ["outputs.media=[received]"]).outputs
        #expect(asked.receivedMedia && !asked.presentedMedia)
    }

    @Test func valuesMayBeYAML() throws {
        let scenario = try resolve(
            Self.base,
            [
                "network.forward.0.loss={ bernoulli: 5% }", "outputs.media=[sent]", "outputs.series='none'",
                "capture.points=all", "qos.jitter=\"<= 5ms\"",
            ])
        #expect(scenario.forward[0].loss == .bernoulli(Ratio(0.05)))
        #expect(scenario.outputs.sentMedia && !scenario.outputs.receivedMedia && scenario.outputs.series == nil)
        #expect(scenario.capture == .all)
        #expect(scenario.qos.checks.map(\.text) == ["<= 5ms"])
    }

    @Test func aPathThatReplacesAWordMakesAMap() throws {
        let scenario = try resolve("program: { file: a.ts }\ncapture: all", ["capture.points=[sender]"])
        #expect(scenario.capture == .init(sender: true, receiver: false, links: false))
    }

    static let mistakes: [(String, String, String)] = [
        ("network.forward.0.los.bernoulli=1%", "network.forward.0.los", "did you mean 'loss'?"),
        ("network.forward.3.delay=1ms", "network.forward.3", "an index from 0 to 2"),
        ("network.forward.-1.delay=1ms", "network.forward.-1", "an index from 0 to 2"),
        ("network.forward.x.delay=1ms", "network.forward.x", "an index from 0 to 2"),
        ("network.forward.0.delay=20", "network.forward.0.delay", "the unit is missing"),
        ("network.forward.0.delay=", "network.forward.0.delay", "there is no value"),
        ("network.forward.0.delay.x=20ms", "network.forward.0.delay.x", "has nothing below it"),
        (
            "network.forward.1.queue.red.target=5ms", "network.forward.1.queue.red",
            "expected one of drop_tail, drop_head, codel"
        ),
        ("sender.fec.rows=5", "sender.fec", "not supported by this version"),
        ("sender..carriage=ts-udp", "sender.", "unknown key ''"),
        ("outputs.media=[sent", "", "not YAML"),
        ("seed", "", "PATH=VALUE"),
        ("=5", "", "PATH=VALUE"),
        ("", "", "PATH=VALUE"),
    ]

    @Test("A setting that does not fit is a problem of its own", arguments: mistakes)
    func mistake(argument: String, path: String, words: String) throws {
        let error = #expect(throws: ScenarioProblems.self) { try resolve(Self.base, [argument]) }
        let found = try #require(error?.problems)
        #expect(found.map(\.path) == [path])
        #expect(found[0].place == .option("--set \(argument)"))
        #expect(found[0].description.contains(words), "\(found[0])")
    }

    @Test func problemsOfTheFileAndOfSettingsComeTogether() {
        let found = problems(Self.base + "\nseed: x", ["network.forward.0.delay=20", "nam=1"])
        #expect(found.count == 3)
        #expect(found[0].hasPrefix("test.yaml:8: seed: "))
        #expect(found.dropFirst().allSatisfy { $0.hasPrefix("--set ") })
    }

    @Test func otherOptionsAreNamedAsTheyWereGiven() throws {
        let document = ScenarioDocument(title: "a.yaml", text: "program: { file: a.ts }")
        let seed = ScenarioSetting(path: "seed", value: "x", option: "--seed x")
        let error = #expect(throws: ScenarioProblems.self) { try document.resolve([seed], checksFiles: false) }
        #expect(error?.problems.map(\.place) == [.option("--seed x")])
    }
}
