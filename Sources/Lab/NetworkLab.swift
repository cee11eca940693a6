import Results
import Emulator
import NetworkEmulation
import Scenario
import Timebase

/// Takes a scenario's links apart and compares every stage with what was asked of it.
///
/// Each stage is built as a run builds it, alone, with the draws it has there, and is offered the packets of one flow. A
/// change of the schedule is judged from its instant on, on a link that makes the change.
struct NetworkLab {
    typealias Link = ExperimentScenario.Link

    let bench: LinkBench
    /// A stage's probe.
    let packets: Int
    /// Of its packets, IP bytes: those of the program.
    let length: UInt16
    private(set) var checks: [LabCheck] = []
    private(set) var notes: [LabNote] = []

    /// Changes of a link that are looked at.
    private static let mostChanges = 10

    init(_ bench: LinkBench, packets: Int, length: UInt16) {
        self.bench = bench
        self.packets = packets
        self.length = length
    }

    /// - Parameters:
    ///   - place: what runs.
    ///   - asked: what it is compared with.
    mutating func examine(_ place: LinkBench.Place, asked: Link) throws {
        var book = LabBook(link: place.id)
        for stage in LinkStage.allCases where stage.isPresent(in: place.link) || stage.isPresent(in: asked) {
            book.stage = stage.rawValue
            try examine(stage, place, built: stage.alone(place.link), asked: stage.alone(asked), &book)
        }
        for (index, step) in asked.schedule.enumerated() where index < place.link.schedule.count {
            guard index < Self.mostChanges else {
                book.stage = "schedule"
                book.note("of \(asked.schedule.count) changes only the first \(Self.mostChanges) were judged")
                break
            }
            book.since = step.at
            for stage in LinkStage.allCases where stage.isChanged(by: step) {
                book.stage = stage.rawValue
                let built = stage.alone(place.link, upToChange: index)
                try examine(stage, place, built: built, asked: stage.alone(step.link), &book)
            }
        }
        checks += book.checks
        notes += book.notes
    }

    private func examine(
        _ stage: LinkStage, _ place: LinkBench.Place, built: Link, asked: Link, _ book: inout LabBook
    ) throws {
        var (built, asked) = (built, asked)
        if stage == .queue {
            // Queues are judged at one rate, whatever the link's does.
            try built.steady(at: bench.build(LinkStage.rate.alone(built), for: place).configuration.rate)
            try asked.steady(at: bench.build(LinkStage.rate.alone(asked), for: place).configuration.rate)
        }
        let delivered = try bench.build(built, for: place)
        let reference = try bench.build(asked, for: place)
        /// What `first` packets later are judged by.
        func checks(_ book: LabBook, first: Int) throws -> LabBook {
            var lab = StageLab(
                configuration: delivered.configuration, reference: reference.configuration,
                start: .zero + (book.since ?? .zero), packets: packets, length: length, first: first, book: book)
            try lab.judge(stage, asked: asked, delivered, reference) {
                var alone = built
                alone.reorder = .zero
                for index in alone.schedule.indices { alone.schedule[index].link.reorder = .zero }
                return try bench.build(alone, for: place).configuration
            }
            return lab.book
        }
        let found = try checks(book, first: 0)
        let number = book.checks.count
        book = found
        guard found.checks[number...].contains(where: { !$0.passed && $0.basis == .chance }) else { return }
        // Laws begin anew at multiples of 4,096 packets.
        let second = try checks(
            LabBook(link: place.id, since: book.since, stage: book.stage), first: (packets + 4_095) & ~4_095)
        book.repeatFailures(from: number, with: second.checks)
    }
}

extension StageLab {
    /// - Parameter alone: the link of delays with none early.
    fileprivate mutating func judge(
        _ stage: LinkStage, asked: ExperimentScenario.Link, _ delivered: NamedLink, _ reference: NamedLink,
        alone: () throws -> LinkConfiguration
    ) throws {
        switch stage {
        case .outage: outages(reference.configuration.outages)
        case .loss: try loss(asked.loss)
        case .corrupt: corruption(asked.corrupt.value)
        case .policer: policer(asked.policer, asked.overhead)
        case .queue: queue(asked)
        case .rate: rate(asked)
        case .duplicate: duplication(asked.duplicate.value)
        case .delay: try delay(asked)
        case .order: order(asked, alone: try alone())
        case .crossTraffic:
            crossTraffic(delivered.crossTraffic, asked: asked.crossTraffic, reference: reference.crossTraffic)
        }
    }
}

/// The stages of a link that are judged apart, in a packet's order.
enum LinkStage: String, CaseIterable, Sendable {
    case outage, loss, corrupt, policer, queue, rate, duplicate, delay, order
    case crossTraffic = "cross traffic"

    /// The keys of a link that it is written with.
    var keys: Set<String> {
        switch self {
        case .outage: []
        case .loss: ["loss"]
        case .corrupt: ["corrupt"]
        case .policer: ["policer"]
        case .queue: ["queue"]
        case .rate: ["rate", "shaper"]
        case .duplicate: ["duplicate"]
        case .delay: ["delay", "jitter"]
        case .order: ["delay", "jitter", "reorder"]
        case .crossTraffic: ["cross_traffic"]
        }
    }

    func isPresent(in link: ExperimentScenario.Link) -> Bool {
        switch self {
        case .outage: link.schedule.contains { $0.down != nil }
        case .loss: link.loss != nil
        case .corrupt: link.corrupt != .zero
        case .policer: link.policer != nil
        case .queue, .rate: link.capacity != .unlimited
        case .duplicate: link.duplicate != .zero
        case .delay: true
        case .order: link.jitter != nil || link.reorder != .zero
        case .crossTraffic: !link.crossTraffic.isEmpty
        }
    }

    /// A link that does nothing but this, as it is at the beginning.
    func alone(_ link: ExperimentScenario.Link) -> ExperimentScenario.Link {
        var part = ExperimentScenario.Link.ideal
        switch self {
        case .outage:
            (part.capacity, part.overhead) = (link.capacity, link.overhead)
            part.schedule = link.schedule.filter { $0.down != nil }
            for index in part.schedule.indices { part.schedule[index].keys = [] }
        case .loss: part.loss = link.loss
        case .corrupt: part.corrupt = link.corrupt
        case .policer: (part.policer, part.overhead) = (link.policer, link.overhead)
        case .queue:
            (part.capacity, part.overhead) = (link.capacity, link.overhead)
            (part.queue, part.reservable) = (link.queue, link.reservable)
        case .rate: (part.capacity, part.overhead) = (link.capacity, link.overhead)
        case .duplicate: part.duplicate = link.duplicate
        case .delay: (part.delay, part.jitter) = (link.delay, link.jitter)
        case .order: (part.delay, part.jitter, part.reorder) = (link.delay, link.jitter, link.reorder)
        case .crossTraffic: part.crossTraffic = link.crossTraffic
        }
        return part
    }

    /// A link that does nothing but this, and makes one change of its schedule from the state right before it.
    func alone(_ link: ExperimentScenario.Link, upToChange index: Int) -> ExperimentScenario.Link {
        var step = link.schedule[index]
        step.link = alone(step.link)
        step.keys = step.keys.filter { keys.contains($0) }
        step.down = nil
        var part = alone(index > 0 ? link.schedule[index - 1].link : link)
        part.schedule = [step]
        return part
    }

    func isChanged(by step: ExperimentScenario.Link.Step) -> Bool {
        !keys.isDisjoint(with: step.keys)
    }
}

extension ExperimentScenario.Link {
    fileprivate mutating func steady(at rate: BitRate?) {
        guard let rate else { return }
        capacity = .constant(rate)
        for index in schedule.indices { schedule[index].link.capacity = capacity }
    }
}

/// One stage on the bench: what each kind of stage is asked is in the extensions.
struct StageLab {
    /// What is measured, and what was asked for as a link has it.
    let configuration: LinkConfiguration
    let reference: LinkConfiguration
    let start: Instant
    let packets: Int
    let length: UInt16
    /// The number in its flow of the first packet offered.
    let first: Int
    var book: LabBook

    var probe: LinkProbe { LinkProbe(configuration, length: length, first: first) }
}

extension LabReport {
    /// Takes the links of a scenario apart and measures every stage.
    ///
    /// - Parameters:
    ///   - built: what is measured.
    ///   - asked: what the measurements are compared with; it has the same links.
    ///   - title: what problems call the scenario.
    ///   - packets: for every stage, 1,000...10,000,000.
    /// - Throws: ``UserFacingError`` (usage), ``ScenarioProblems`` for files that cannot be read.
    public init(
        measuring built: ExperimentScenario, asked: ExperimentScenario, title: String, packets: Int
    ) throws {
        let bench = LinkBench(built, title: title)
        let askedPlaces = LinkBench(asked, title: title).places
        guard bench.places.map(\.id) == askedPlaces.map(\.id) else {
            throw UserFacingError.usage("--expect cannot add links or take them away")
        }
        var lab = NetworkLab(bench, packets: packets, length: UInt16(built.datagramLength))
        for (place, asked) in zip(bench.places, askedPlaces) { try lab.examine(place, asked: asked.link) }
        self.init(
            name: built.name, seed: built.seed, packets: packets, length: built.datagramLength, checks: lab.checks,
            notes: lab.notes)
    }
}

extension ExperimentScenario {
    /// Of the program's whole datagrams, with IPv4 and UDP headers, bytes.
    fileprivate var datagramLength: Int {
        20 + 8 + (sender.carriage == .tsRTP ? 12 : 0) + 188 * sender.transportPacketsPerDatagram
    }
}
