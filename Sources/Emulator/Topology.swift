import BasicContainers
import Metrics
import NetworkEmulation
import Timebase

/// Where a packet goes next.
enum Hop: Sendable, BitwiseCopyable {
    case link(Int)
    /// To several places at once, by number.
    case branch(Int)
    case node(Int)
    /// It has gone as far as it goes.
    case away
}

/// The World's links, and the ways of flows over them.
///
/// A route says of each link where a packet that leaves it goes next. Nearly all flows share one: forward to every
/// receiver and back to the sender; what enters a link and leaves at its far end has another, and so has each control
/// flow with a way of its own.
struct Topology: ~Copyable {
    /// In the order of their rank: those nearer to the receivers first, so that at one instant a link is served before
    /// what comes to it.
    var links: RigidArray<Link>
    private(set) var ids: [String] = []
    private(set) var isForward: [Bool] = []
    private(set) var rates: [BitRate?] = []
    /// The receiver whose own a link is; nil for what several may share.
    private(set) var owners: [Int?] = []
    /// All links in the order of a packet's way: the shared ones forward, each receiver's own, then the way back, then
    /// those of control flows alone.
    private(set) var listing: [Int] = []
    /// The links that a session's packets to a receiver cross, at receiver × sessions + session.
    private(set) var paths: [[Int]] = []
    /// Sources of cross traffic, each with the link that it enters and its number there.
    private(set) var crossTraffic: [(configuration: CrossTrafficConfiguration, link: Int, number: Int)] = []
    /// Per flow, where its packets begin.
    private(set) var entries: [Hop] = []
    /// Per flow, its route: one of the two that many flows share, or behind them the way of one control flow.
    private var routes: RigidArray<Int>
    /// Of a shared route's packets behind a link, at `route` × links + link.
    private var hops: RigidArray<Hop>
    /// Per way, the links of it in order, and where it ends. A way has few links and there may be many ways: each is
    /// looked through.
    private var ways: [(links: [Int], end: Hop)] = []
    private var branchHops: [Hop] = []
    private var branches: [Range<Int>] = []

    private static let shared = 0
    private static let leaving = 1
    private static let sharedCount = 2

    init(_ configuration: WorldConfiguration, _ flows: FlowTable) {
        var plan = LinkPlan()
        let receivers = plan.addShared(configuration)
        for link in configuration.controlLinks {
            plan.listing.append(plan.add([link], isForward: true, to: .away).path[0])
        }
        links = RigidArray(capacity: plan.links.count)
        for link in plan.links {
            for (number, source) in link.named.crossTraffic.enumerated() {
                crossTraffic.append((source, links.count, number))
            }
            links.append(Link(link.named.configuration, queueDelayCuts: configuration.cuts[.queueDelay]))
        }
        ids = plan.links.map(\.named.id)
        isForward = plan.links.map(\.isForward)
        rates = plan.links.map(\.named.configuration.rate)
        owners = plan.links.map(\.owner)
        listing = plan.listing
        paths = plan.paths
        branchHops = receivers.entries
        branches = [0..<receivers.entries.count]

        hops = RigidArray(capacity: Self.sharedCount * plan.links.count)
        for link in plan.links { hops.append(link.next) }
        for _ in plan.links { hops.append(.away) }
        let indices = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
        routes = RigidArray(capacity: flows.count)
        for index in 0..<flows.count {
            switch flows[UInt16(index)].kind {
            case .program(let session), .senderReports(let session):
                add(entry: receivers.forward[session], route: Self.shared)
            case .receiverReports(let receiver, _): add(entry: receivers.reverse[receiver], route: Self.shared)
            case .crossTraffic: add(entry: .away, route: Self.leaving)
            case .control(let number):
                let way = configuration.controlFlows[number].way.map { id in
                    guard let link = indices[id] else { preconditionFailure("there is no link '\(id)'") }
                    return link
                }
                let end = Hop.node(flows[UInt16(index)].destinations.lowerBound)
                ways.append((way, end))
                add(entry: way.first.map(Hop.link) ?? end, route: Self.sharedCount + number)
            }
        }
    }

    private mutating func add(entry: Hop, route: Int) {
        entries.append(entry)
        routes.append(route)
    }

    /// Where a flow's packet goes when it leaves a link.
    @inline(__always)
    func next(behind link: Int, flow: UInt16) -> Hop {
        let route = routes[Int(flow)]
        return route < Self.sharedCount ? hops[route &* links.count &+ link] : next(behind: link, onWay: route)
    }

    private func next(behind link: Int, onWay route: Int) -> Hop {
        let way = ways[route - Self.sharedCount]
        guard let place = way.links.firstIndex(of: link), place + 1 < way.links.count else { return way.end }
        return .link(way.links[place + 1])
    }

    /// How many places a branch leads to.
    func width(ofBranch branch: Int) -> Int { branches[branch].count }

    /// Where a branch leads, by number.
    @inline(__always)
    func hop(ofBranch branch: Int, _ number: Int) -> Hop { branchHops[branches[branch].lowerBound &+ number] }

    /// The names of all links of a configuration, in the order of their indices.
    static func linkIDs(_ configuration: WorldConfiguration) -> [String] {
        var plan = LinkPlan()
        _ = plan.addShared(configuration)
        for link in configuration.controlLinks { _ = plan.add([link], isForward: true, to: .away) }
        return plan.links.map(\.named.id)
    }
}

/// The links of a configuration in the order of their rank, and where each leads.
private struct LinkPlan {
    struct Entry {
        var named: NamedLink
        var isForward: Bool
        var owner: Int?
        var next: Hop
    }

    /// Where packets begin: those of each session, and each receiver's back; and behind the shared links, each receiver's.
    struct Shared {
        var forward: [Hop] = []
        var reverse: [Hop] = []
        var entries: [Hop] = []
    }

    var links: [Entry] = []
    var listing: [Int] = []
    var paths: [[Int]] = []

    /// Adds the links that the program and its reports cross.
    mutating func addShared(_ configuration: WorldConfiguration) -> Shared {
        var shared = Shared()
        for (index, receiver) in configuration.receivers.enumerated() {
            let last = add(receiver.lastLinks, isForward: true, owner: index, to: .node(1 + index))
            shared.entries.append(last.entry)
            for _ in 0..<configuration.sessionCount { paths.append(last.path) }
            listing += last.path.reversed()
        }
        let forward = add(configuration.forward, isForward: true, to: .branch(0))
        listing = forward.path.reversed() + listing
        for session in 0..<configuration.sessionCount {
            var way = forward
            if let own = configuration.sessions?.sessions[session].forward {
                way = add(own, isForward: true, to: .branch(0))
                listing = way.path.reversed() + listing
            }
            shared.forward.append(way.entry)
            for index in stride(from: session, to: paths.count, by: configuration.sessionCount) {
                paths[index] += way.path
            }
        }
        let back = add(configuration.reverse, isForward: false, to: .node(0))
        for receiver in configuration.receivers {
            let first = add(receiver.firstReverseLinks, isForward: false, to: back.entry)
            shared.reverse.append(first.entry)
            listing += first.path.reversed()
        }
        listing += back.path.reversed()
        return shared
    }

    /// Adds links that follow each other and end at `end`; the last one gets the lowest rank.
    mutating func add(
        _ named: [NamedLink], isForward: Bool, owner: Int? = nil, to end: Hop
    ) -> (entry: Hop, path: [Int]) {
        var hop = end
        var path: [Int] = []
        for link in named.reversed() {
            links.append(Entry(named: link, isForward: isForward, owner: owner, next: hop))
            path.append(links.count - 1)
            hop = .link(links.count - 1)
        }
        return (hop, path)
    }
}
