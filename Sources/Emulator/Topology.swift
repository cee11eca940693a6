import NetworkEmulation
import Timebase

/// Where a packet goes when it leaves a link.
enum Hop: Sendable {
    case link(Int)
    /// To every receiver, each by the first link of its own.
    case branch
    case receiver(Int)
    case sender
}

/// The World's links and where each leads.
struct Topology: Sendable {
    var links: [Link] = []
    var ids: [String] = []
    var isForward: [Bool] = []
    var rates: [BitRate?] = []
    var next: [Hop] = []
    /// The receiver whose own a link is; nil for what several may share.
    var owners: [Int?] = []
    /// The sender's way out, and each receiver's.
    var forwardEntry = Hop.branch
    var receiverEntries: [Hop] = []
    var reverseEntries: [Hop] = []
    /// All links in the order of a packet's way: the shared ones forward, each receiver's own, then the way back.
    var listing: [Int] = []
    /// Per receiver, the links that its packets cross.
    var paths: [[Int]] = []
    /// Links that may damage packets.
    var damages: [Bool] = []
    /// Sources of cross traffic, each with the link that it enters and its flow there.
    var crossTraffic: [(configuration: CrossTrafficConfiguration, link: Int, flow: UInt16)] = []
    /// Flows from this one on are cross traffic.
    let firstCrossFlow: UInt16

    /// Links in the order of their rank: those nearer to the receivers first, so that at one instant a link is served
    /// before what comes to it.
    init(_ configuration: WorldConfiguration) {
        firstCrossFlow = World.firstReceiverReportFlow + UInt16(configuration.receivers.count)
        for (index, receiver) in configuration.receivers.enumerated() {
            let last = add(receiver.lastLinks, isForward: true, owner: index, to: .receiver(index))
            receiverEntries.append(last.entry)
            paths.append(last.path)
            listing += last.path.reversed()
        }
        let shared = add(configuration.forward, isForward: true, to: .branch)
        forwardEntry = shared.entry
        listing = shared.path.reversed() + listing
        for index in paths.indices { paths[index] += shared.path }
        let back = add(configuration.reverse, isForward: false, to: .sender)
        defer { listing += back.path.reversed() }
        for receiver in configuration.receivers {
            let first = add(receiver.firstReverseLinks, isForward: false, to: back.entry)
            reverseEntries.append(first.entry)
            listing += first.path.reversed()
        }
    }

    /// Adds links that follow each other and end at `end`; the last one gets the lowest rank.
    private mutating func add(
        _ named: [NamedLink], isForward: Bool, owner: Int? = nil, to end: Hop
    ) -> (entry: Hop, path: [Int]) {
        var hop = end
        var path: [Int] = []
        for link in named.reversed() {
            links.append(Link(link.configuration))
            ids.append(link.id)
            self.isForward.append(isForward)
            rates.append(link.configuration.rate)
            damages.append(links[links.count - 1].canDamage)
            for (number, source) in link.crossTraffic.enumerated() {
                crossTraffic.append((source, links.count - 1, firstCrossFlow + UInt16(number)))
            }
            next.append(hop)
            owners.append(owner)
            path.append(links.count - 1)
            hop = .link(links.count - 1)
        }
        return (hop, path)
    }
}
