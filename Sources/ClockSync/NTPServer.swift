import Timebase
import Wire

/// A time server: answers NTP requests (mode 3, version 1 to 4) by its node's disciplined clock (RFC 5905 §8).
///
/// It answers at once, T3 = T2, on the outgoing flow of the same number as the request's, so that each client has a pair
/// of flows of its own.
public struct NTPServer: Agent {
    /// What it says of itself.
    public struct Configuration: Sendable, Hashable {
        /// 1: it has a reference of its own; up to 15.
        public var stratum: UInt8
        /// log2 of its clock's resolution in seconds.
        var precision: Int8
        /// The round trip to its reference.
        var rootDelay: TimeSpan
        /// How far its clock may be off beyond half of that.
        var rootDispersion: TimeSpan
        /// At stratum 1 four letters, else its own server's address.
        var referenceID: UInt32
        /// Since when the dispersion grows by 15 ppm; nil: it does not.
        var lastSet: LocalInstant?

        /// - Parameter referenceID: "LOCL" unless given.
        public init(
            stratum: UInt8 = 1, precision: Int8 = -29, rootDelay: TimeSpan = .zero, rootDispersion: TimeSpan = .zero,
            referenceID: UInt32 = 0x4c4f_434c, lastSet: LocalInstant? = nil
        ) {
            self.stratum = stratum
            self.precision = precision
            self.rootDelay = rootDelay
            self.rootDispersion = rootDispersion
            self.referenceID = referenceID
            self.lastSet = lastSet
        }
    }

    /// What it says of itself from now on.
    public var configuration: Configuration
    private var outputs: [AgentOutput] = []

    /// A server that says this of itself.
    public init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

    public var nextTimeout: LocalInstant { .distantFuture }

    public mutating func handleTimeout(at now: LocalInstant) {}

    public mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard let reply = reply(to: payload, at: now) else { return }
        outputs.append(.send(reply, flow: flow))
    }

    /// The reply to a request; nil for what is none.
    func reply(to payload: RawSpan, at now: LocalInstant) -> [UInt8]? {
        guard let request = try? NTPPacket(parsing: payload), request.mode == 3 else { return nil }
        let stamp = NTPTimestamp(now).set
        var reply = NTPPacket(
            version: request.version, mode: 4, stratum: configuration.stratum, poll: request.poll,
            precision: configuration.precision, transmitTimestamp: stamp)
        let age = configuration.lastSet.map { max(.zero, now - $0) } ?? .zero
        reply.rootDelay = NTPShort.units(configuration.rootDelay)
        reply.rootDispersion = NTPShort.units(
            configuration.rootDispersion + age.scaled(partsPerBillion: OnWireProtocol.tolerance))
        reply.referenceID = configuration.referenceID
        reply.referenceTimestamp = configuration.lastSet.map { NTPTimestamp(min($0, now)).set } ?? stamp
        reply.originTimestamp = request.transmitTimestamp
        reply.receiveTimestamp = stamp
        return reply.bytes
    }

    public mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    /// It goes on answering: it begins nothing by itself.
    public mutating func stop() {}
}
