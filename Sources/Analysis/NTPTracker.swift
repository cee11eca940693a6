import Metrics
import Timebase
import Wire

/// Pairs NTP requests with replies and measures each exchange (RFC 5905 §8) by the clock of the capture: T1 is when the
/// request was captured, T4 when the reply was, T2 and T3 are the server's own stamps.
///
/// So it does not matter what the client writes as its transmit timestamp, which many fill with random bits, nor how far
/// its clock is from the capture's: the offset is the server's clock less the capture's. Where the client's stamps are
/// times, they tell how far its own clock is from the server's. Symmetric peers are each other's client and server.
struct NTPTracker {
    private struct Request: Hashable {
        var client: SocketAddress
        var server: SocketAddress
        var transmit: NTPTimestamp
    }

    private struct Pair: Hashable {
        var client: IPAddress
        var server: IPAddress
    }

    private struct Meter {
        var version: UInt8
        var exchanges: Int64 = 0
        var requests: Int64 = 0
        var offsets = Histogram()
        /// The server's clock less the client's own.
        var clientOffsets = Histogram()
        var delays = Histogram()
        var bounds = Histogram()
        var rejected: [(reason: String, count: Int64)] = []

        /// Nil unless all its stamps are times: of random ones hardly any is.
        var clientOffset: Distribution? { clientOffsets.count == exchanges ? clientOffsets.distribution : nil }

        mutating func reject(_ reason: String) {
            if let index = rejected.firstIndex(where: { $0.reason == reason }) {
                rejected[index].count += 1
            } else {
                rejected.append((reason, 1))
            }
        }
    }

    private var requests: [Request: Instant] = [:]
    private var order: [Request] = []
    private var answered: Set<Request> = []
    private var meters: [Pair: Meter] = [:]
    private var pairs: [Pair] = []

    private static let capacity = 1024
    /// RFC 5905's panic threshold: an offset beyond it is no measurement.
    private static let panic: Int64 = 1_000_000_000_000

    /// A client's stamp farther than this from the capture's clock is no time: random bits, or a clock that is not set.
    private static let farthest: Int64 = 1_000_000_000_000

    mutating func add(
        _ packet: NTPPacket, from source: SocketAddress, to destination: SocketAddress, at instant: Instant
    ) {
        switch packet.mode {
        case 3: ask(packet, from: source, to: destination, at: instant)
        case 4: takeReply(packet, client: destination, server: source, at: instant)
        case 1, 2:
            // What answers a peer's packet is also the next to be answered. The first answers nothing.
            if packet.originTimestamp.rawValue != 0 {
                takeReply(packet, client: destination, server: source, at: instant)
            }
            ask(packet, from: source, to: destination, at: instant)
        default:
            withMeter(destination.address, source.address, packet.version) { $0.reject("not_client_server") }
        }
    }

    private mutating func ask(
        _ packet: NTPPacket, from source: SocketAddress, to destination: SocketAddress, at instant: Instant
    ) {
        let request = Request(client: source, server: destination, transmit: packet.transmitTimestamp)
        // A peer's packet may be an answer only.
        if packet.mode == 3 { withMeter(source.address, destination.address, packet.version) { $0.requests += 1 } }
        guard packet.transmitTimestamp.rawValue != 0 else { return }
        if requests[request] == nil { remember(request) }
        requests[request] = instant
        answered.remove(request)
    }

    private mutating func remember(_ request: Request) {
        if order.count == Self.capacity {
            requests[order[0]] = nil
            answered.remove(order[0])
            order.removeFirst()
        }
        order.append(request)
    }

    private mutating func takeReply(
        _ reply: NTPPacket, client: SocketAddress, server: SocketAddress, at instant: Instant
    ) {
        let request = Request(client: client, server: server, transmit: reply.originTimestamp)
        let asked = requests[request]
        let isRepeated = answered.contains(request)
        if asked != nil { answered.insert(request) }
        withMeter(client.address, server.address, reply.version) { meter in
            if let reason = Self.fault(of: reply) { return meter.reject(reason) }
            guard let asked else { return meter.reject(meter.requests > 0 ? "origin_not_echoed" : "no_request") }
            guard !isRepeated else { return meter.reject("duplicate_reply") }
            guard asked <= instant else { return meter.reject("reply_before_request") }
            let now = instant.nanoseconds
            let t1 = asked.nanoseconds
            let t2 = reply.receiveTimestamp.unixNanoseconds(near: now)
            let t3 = reply.transmitTimestamp.unixNanoseconds(near: now)
            let delay = (now - t1) - (t3 - t2)
            // Both halves can be years: their halves cannot overflow.
            let offset = (t2 - t1) / 2 + (t3 - now) / 2
            guard delay >= 0 else { return meter.reject("negative_delay") }
            guard abs(offset) <= Self.panic else { return meter.reject("absurd_offset") }
            meter.exchanges += 1
            meter.offsets.add(offset)
            meter.delays.add(delay)
            meter.bounds.add((delay + 1) / 2)
            let ahead = reply.originTimestamp.unixNanoseconds(near: now) - t1
            if abs(ahead) <= Self.farthest { meter.clientOffsets.add(offset - ahead) }
        }
    }

    /// Why a reply cannot be used, whatever the request was.
    private static func fault(of reply: NTPPacket) -> String? {
        if reply.originTimestamp.rawValue == 0 { return "origin_zero" }
        if reply.stratum == 0 { return "kiss_of_death" }
        if reply.stratum >= 16 || reply.leapIndicator == 3 { return "unsynchronized" }
        if reply.receiveTimestamp.rawValue == 0 || reply.transmitTimestamp.rawValue == 0 { return "server_time_unset" }
        return nil
    }

    private mutating func withMeter(
        _ client: IPAddress, _ server: IPAddress, _ version: UInt8, _ body: (inout Meter) -> Void
    ) {
        let pair = Pair(client: client, server: server)
        if meters[pair] == nil {
            guard pairs.count < Self.capacity else { return }
            pairs.append(pair)
        }
        body(&meters[pair, default: Meter(version: version)])
    }

    var measurements: [NTPMeasurements] {
        pairs.compactMap { pair in
            guard let meter = meters[pair] else { return nil }
            return NTPMeasurements(
                client: pair.client, server: pair.server, version: meter.version, exchanges: meter.exchanges,
                offset: meter.offsets.distribution, clientOffset: meter.clientOffset, delay: meter.delays.distribution,
                bound: meter.bounds.distribution,
                rejected: meter.rejected)
        }
    }
}
