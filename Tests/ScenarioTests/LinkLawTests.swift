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

    @Test("bernoulli is a share alone, or a share and a correlation")
    func bernoulli() throws {
        let correlated = try Self.link("loss: { bernoulli: { loss: 2%, correlation: 50% } }").loss
        #expect(correlated == .bernoulli(Ratio(0.02), correlation: Ratio(0.5)))
        for text in ["2%", "{ loss: 2% }", "{ loss: 2%, correlation: 0% }"] {
            let independent = try resolve(Self.yaml("loss: { bernoulli: \(text) }"))
            #expect(independent.forward[0].loss == .bernoulli(Ratio(0.02)))
            #expect(independent.resolvedYAML.contains("loss: { bernoulli: 2% }"))
        }
        let set = try Self.link(
            "loss: { gilbert_elliott: { loss: 1%, mean_burst: 3 } }",
            ["network.forward.0.loss.bernoulli.loss=3%", "network.forward.0.loss.bernoulli.correlation=20%"])
        #expect(set.loss == .bernoulli(Ratio(0.03), correlation: Ratio(0.2)))
        // A link draws for each packet alone where nothing is correlated.
        let tables = LinkTables(title: "test")
        for (loss, isCorrelated) in [(correlated, true), (.bernoulli(Ratio(0.02)), false)] {
            let mechanism = try loss?.mechanism(tables, DrawKey(seed: 1), path: "loss")
            switch mechanism {
            case .correlated: #expect(isCorrelated)
            case .bernoulli: #expect(!isCorrelated)
            default: Issue.record("\(String(describing: mechanism))")
            }
        }
    }

    static let mistakes: [(String, String, String)] = [
        ("loss: { bernoulli: { loss: 2%, correlation: 100% } }", "loss.bernoulli.correlation", "less than 100%"),
        ("loss: { bernoulli: { loss: 2%, correlation: -10% } }", "loss.bernoulli.correlation", "from 0% to 100%"),
        ("loss: { bernoulli: { loss: 2%, correlation: 0.5 } }", "loss.bernoulli.correlation", "50%, or 0.5%?"),
        ("loss: { bernoulli: { correlation: 50% } }", "loss.bernoulli.loss", "a percentage, such as 2%"),
        ("loss: { bernoulli: { loss: 101%, correlation: 5% } }", "loss.bernoulli.loss", "from 0% to 100%"),
        (
            "loss: { bernoulli: { loss: 2%, correlaton: 5% } }", "loss.bernoulli.correlaton",
            "did you mean 'correlation'?"
        ),
        ("loss: { bernoulli: [2%] }", "loss.bernoulli", "a list cannot stand here"),
        ("rate: 1 Mbit/s, queue: { pie: { derandomize: no } }", "queue.pie.derandomize", "true, false"),
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
