import NetworkEmulation
import Testing
import Timebase

@testable import Scenario

@Suite("A link's laws, from text to mechanism")
struct LinkLawTests {
    private static func yaml(_ link: String) -> String {
        "program: { file: a.ts }\nnetwork: { forward: [ { \(link) } ] }"
    }

    private static func link(_ text: String, _ settings: [String] = []) throws -> ExperimentScenario.Link {
        try resolve(yaml(text), settings).forward[0]
    }

    static let mistakes: [(String, String, String)] = [
        ("rate: 1 Mbit/s, queue: { pie: { derandomize: no } }", "queue.pie.derandomize", "true, false")
    ]

    @Test("what a law cannot take is told with its place", arguments: mistakes)
    func mistake(text: String, path: String, words: String) {
        let found = problems(Self.yaml(text))
        #expect(found.count == 1 && found[0].contains("network.forward.0.\(path):"), "\(found)")
        #expect(found.first?.contains(words) == true, "\(found)")
    }

    @Test("PIE's drops are spread out unless the scenario says otherwise")
    func derandomize() throws {
        for (text, expected) in [("pie", true), ("{ pie: { derandomize: false } }", false)] {
            let queue = try Self.link("rate: 5 Mbit/s, queue: \(text)").queue
            let mechanism = queue.mechanism(rate: nil, reservable: Ratio(1), DrawKey(seed: 1))
            guard case .pie(let parameters) = mechanism else {
                Issue.record("\(text) is \(mechanism)")
                continue
            }
            #expect(parameters.isDerandomized == expected)
        }
        let key = try #require(try ScenarioReference.keys(below: "network.forward.0.queue.pie.derandomize").first)
        #expect(key.usual == "true" && key.meaning.contains("RFC 8033 section 5.4"))
    }
}
