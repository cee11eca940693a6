import Emulator
import Timebase

/// A scenario's links taken off the network, each to be built alone, whole or in part: with the draws that it has in a
/// run.
public struct LinkBench {
    /// A link and where it stands.
    public struct Place: Sendable {
        /// As in a run: `forward.0`, `tv.last.0`.
        public let id: String
        /// Where it stands in the scenario.
        public let path: String
        /// The link as the scenario has it.
        public let link: ExperimentScenario.Link
    }

    /// Forward, reverse, and each receiver's own; of receivers with a `count` those of the first.
    public let places: [Place]
    private let builder: LinkBuilder

    /// - Parameter title: what problems call the scenario.
    public init(_ scenario: ExperimentScenario, title: String) {
        builder = LinkBuilder(title: title, root: DrawKey(seed: scenario.seed))
        var places: [Place] = []
        func add(_ links: [ExperimentScenario.Link], _ prefix: String, _ path: String) {
            for (index, link) in links.enumerated() {
                places.append(Place(id: "\(prefix).\(index)", path: "\(path).\(index)", link: link))
            }
        }
        add(scenario.forward, "forward", "network.forward")
        add(scenario.reverse, "reverse", "network.reverse")
        for receiver in scenario.receivers {
            let id = receiver.count > 1 ? "\(receiver.id).1" : receiver.id
            add(receiver.lastLinks, "\(id).last", "receivers.\(receiver.id).last_links")
        }
        self.places = places
    }

    /// Builds a link, or a part of one, for a place.
    ///
    /// - Throws: ``ScenarioProblems`` for files that cannot be read.
    public func build(_ link: ExperimentScenario.Link, for place: Place) throws(ScenarioProblems) -> NamedLink {
        try builder.link(link, id: place.id, path: place.path)
    }
}
