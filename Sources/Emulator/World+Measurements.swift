import BasicContainers
import ClockSync
import Media
import Metrics
import NetworkEmulation
import Receiver
import Sender
import Timebase

extension World {
    /// Everything measured up to now; complete once ``nextTimeout`` is nil.
    public func measurements() -> RunMeasurements {
        var result = RunMeasurements()
        result.ended = now
        result.digest = ledger.digest
        // From the sender on, as the scenario lists them.
        result.links = topology.listing.map { link($0) }
        if configuration.sessions == nil {
            result.transportStreams.append(ledger.sender.monitor.measurements(point: "sender"))
        }
        for (node, id) in configuration.nodeIDs.enumerated() { result.clocks.append(clock(node, id)) }
        for index in 0..<receivers.count {
            result.flows += flows(ofReceiver: index)
            result.playout += (0..<ledger.rowCount).map { playout(index, session: $0) }
            result.substreams += configuration.program.substreams.indices.map { substream($0, receiver: index) }
            result.calls += configuration.calls.map { measurements(of: $0, receiver: index) }
            result.lipSync += ledger.receivers[index * ledger.rowCount].pairs.map { lipSync($0, receiver: index) }
            guard configuration.sessions == nil else { continue }
            result.transportStreams.append(
                ledger.receivers[index].monitor.measurements(point: configuration.receivers[index].id))
        }
        result.commands = commandMeasurements
        result.destinations = destinationMeasurements
        result.agreement = agreementMeasurements
        result.reservations = reservations
        result.warnings = configuration.program.warnings.map { .program($0) }
        for row in result.reservations { warn(of: row, in: &result) }
        let tooLate = sentCounters.reduce(0) { $0 + $1.unitsTooLate }
        if tooLate > 0 {
            result.warnings.append(.multiplexedTooLate(units: tooLate))
        }
        for index in 0..<receivers.count {
            for session in 0..<ledger.rowCount { warn(ofSession: session, receiver: index, in: &result) }
            warnOfSubstreams(receiver: index, in: &result)
        }
        warnOfClocks(in: &result)
        return result
    }

    private func flows(ofReceiver index: Int) -> [FlowMeasurements] {
        var flows = (0..<ledger.rowCount).map { flow(index, session: $0) }
        let used = flows.compactMap(\.usedBitsPerSecond).reduce(0, +)
        for session in flows.indices where flows[session].usedBitsPerSecond != nil {
            flows[session].usedBitsPerSecondOfReceiver = used
        }
        return flows
    }

    private func warn(of row: ReservationMeasurements, in result: inout RunMeasurements) {
        if let link = row.refusedLink, let reason = row.refusedReason,
            row.receiver == result.flows.first?.receiver || row.receiver.isEmpty
        {
            result.warnings.append(.reservationRefused(flow: row.flow, link: link, reason: reason))
        } else if let needed = row.neededBurst, needed > row.burst {
            result.warnings.append(.burstBeyondReservation(flow: row.flow, needed: needed, reserved: row.burst))
        }
    }

    /// Says what makes a receiver's figures less than they seem.
    private func warn(ofSession session: Int, receiver index: Int, in result: inout RunMeasurements) {
        let seen = ledger.receivers[index * ledger.rowCount + session]
        let id =
            configuration.sessions == nil
            ? configuration.receivers[index].id : configuration.flowID(session: session, receiver: index)
        if seen.quality.received == 0, sent(session).packets > 0 {
            result.warnings.append(.nothingArrived(receiver: id))
        } else if seen.late * 10 > seen.quality.received {
            result.warnings.append(.lateDatagrams(receiver: id, late: seen.late, delivered: seen.quality.received))
        }
        let waits = seen.leastWaits
        // Where releases follow a synchronized clock, waits change as that is set.
        if !receivers[index].followsSender, waits.growth != nil, let first = waits.first, let last = waits.latest {
            result.warnings.append(.waitsGrew(receiver: id, first: first, last: last))
        }
    }

    private func warnOfSubstreams(receiver index: Int, in result: inout RunMeasurements) {
        let id = configuration.receivers[index].id
        let lanes = ledger.receivers[index * ledger.rowCount].lanes
        for (lane, substream) in configuration.program.substreams.enumerated() {
            let counters = sentCounters[lane]
            let row = index * ledger.rowCount + (configuration.sessions == nil ? 0 : lane)
            guard counters.units > 0, ledger.receivers[row].quality.received > 0,
                let last = counters.lastPresentation, let end = counters.lastPresentationEnd
            else { continue }
            guard let latest = lanes[lane].latestPresentation else {
                result.warnings.append(.neverPresented(receiver: id, substream: substream.id))
                continue
            }
            // The last unit of all stands as long as it was meant to; who is told to stand still does so.
            if last - latest.media > .seconds(1), !isPaused(receiver: index) {
                result.warnings.append(
                    .stoodStill(receiver: id, substream: substream.id, span: end - latest.media))
            }
        }
    }

    /// What has been sent on a session.
    private func sent(_ session: Int) -> SenderLedger {
        configuration.sessions == nil ? ledger.sender : ledger.sessions[session]
    }

    /// Says of which clocks nobody knew how to set them.
    private func warnOfClocks(in result: inout RunMeasurements) {
        var explained: Set<String> = []
        for seat in agents.seats {
            let node = configuration.nodeIDs[seat.node]
            let agent = (seat.agent as? FaultyAgent)?.agent ?? seat.agent
            let selection = (agent as? NTPClient)?.selection ?? (agent as? RegressionClient)?.selection
            if selection == .noMajority {
                result.warnings.append(.noMajorityOfServers(node: node))
                explained.insert(node)
            }
            if let client = agent as? NTPClient, client.hasGivenUp {
                result.warnings.append(.clockGivenUp(node: node))
                explained.insert(node)
            }
            if let found = (agent as? CristianClient)?.contradiction {
                result.warnings.append(
                    .minimumDelayTooLong(node: node, roundTrip: found.roundTrip, minimumDelay: found.minimumDelay))
            }
        }
        for clock in result.clocks where clock.algorithm != "none" && clock.synchronizedNanoseconds == nil {
            guard !explained.contains(clock.node) else { continue }
            result.warnings.append(
                .neverSynchronized(node: clock.node, algorithm: clock.algorithm, exchanges: clock.exchanges ?? 0))
        }
    }

    private func flow(_ index: Int, session: Int) -> FlowMeasurements {
        let row = index * ledger.rowCount + session
        let seen = ledger.receivers[row]
        let sent = sent(session)
        let number = flows.media(session)
        var flow = FlowMeasurements()
        flow.id = configuration.flowID(session: session, receiver: index)
        flow.receiver = configuration.receivers[index].id
        flow.carriage = configuration.carriage.rawValue
        flow.sent = sent.packets
        flow.quality = seen.quality.measurements()
        for link in topology.paths[row] {
            let counts = topology.links[link].counters[number]
            flow.lostLink += counts.lost + counts.down
            flow.droppedQueue += counts.queueFull + counts.managed + counts.policed
            flow.duplicated += counts.duplicated
            flow.marked += topology.links[link].marked(flow: number)
        }
        flow.lostNode = sent.lostAtNode + seen.lostAtNode
        flow.droppedChecksum = seen.damaged
        flow.late = seen.late
        flow.duplicates = seen.duplicates
        flow.unrepaired = flow.sent - (flow.delivered - seen.quality.duplicates)
        flow.sentBitsPerSecond = sent.rate.bitsPerSecond
        // What was sent, less what was of no use: not over the time from the first used to the last, which may be short.
        flow.usedBitsPerSecond = flow.sentBitsPerSecond.map {
            $0.scaled(by: seen.usedBytes, over: sent.rate.bytes, .nearest)
        }
        let counters = configuration.sessions == nil ? sentCounters : [sentCounters[session]]
        let media = counters.reduce(0) { $0 + $1.bytes }
        if sent.rate.bytes > 0 { flow.overheadRatio = 1 - Double(media) / Double(sent.rate.bytes) }
        flow.oneWayDelayMeasured = seen.oneWayDelayMeasured.distribution
        flow.oneWayDelayError = seen.oneWayDelayError.distribution
        flow.roundTrip = seen.roundTrip.distribution
        flow.lossRuns = seen.streamWindow?.lossRuns ?? flow.quality.lossRuns
        flow.sessionSetupNanoseconds = ledger.receivers[index * ledger.rowCount].firstPresentation?.nanoseconds
        flow.quality.mediaLossRatePerSecond = MediaDeliveryIndex.mediaLossRate(
            lostMediaPackets: lostMediaPackets(flow, sent), over: sent.latestSent - (sent.firstSent ?? .zero))
        return flow
    }

    /// Of a multiplex, transport packets: at variable rate datagrams differ in them, and their mean counts.
    private func lostMediaPackets(_ flow: FlowMeasurements, _ sent: SenderLedger) -> Int64 {
        guard configuration.sessions == nil, sent.packets > 0 else { return flow.unrepaired }
        return flow.unrepaired.scaled(by: sender.multiplexer.packetsSent, over: sent.packets, .nearest)
    }

    private func substream(_ lane: Int, receiver index: Int) -> SubstreamMeasurements {
        let description = configuration.program.substreams[lane]
        let sent = sentCounters[lane]
        let seen = ledger.receivers[index * ledger.rowCount].lanes[lane]
        var result = SubstreamMeasurements()
        result.id = description.id
        result.kind = description.kind.name
        result.receiver = configuration.receivers[index].id
        result.sentUnits = sent.units
        result.sentBytes = sent.bytes
        if let first = sent.firstPresentation, let end = sent.lastPresentationEnd, end > first {
            result.sentBitsPerSecond = (sent.bytes * 8).scaled(
                by: 1_000_000_000, over: (end - first).nanoseconds, .nearest)
        }
        result.onTime = seen.decoding.tally.onTime
        result.late = seen.decoding.tally.late
        result.damaged = seen.decoding.tally.damaged
        result.missing = sent.units - result.onTime - result.late - result.damaged
        result.intact = seen.decoding.tally.intact
        result.impaired = seen.decoding.tally.impaired
        result.undecodable = seen.decoding.tally.undecodable
        result.concealed = seen.concealment?.count
        result.impairedTime = seen.decoding.impairedTime
        result.endToEndDelay = seen.endToEnd.distribution
        // Without a picture there was nothing to freeze.
        result.freezes = seen.latestPresentation == nil ? nil : seen.freezes?.measurements
        return result
    }

    private func lipSync(_ pair: ReceiverLedger.Pair, receiver index: Int) -> LipSyncMeasurements {
        let substreams = configuration.program.substreams
        var result = pair.meter.measurements
        result.receiver = configuration.receivers[index].id
        result.audio = substreams[pair.audio].id
        result.video = substreams[pair.video].id
        result.profile = configuration.receivers[index].lipSyncProfile
        return result
    }

    private func playout(_ index: Int, session: Int) -> PlayoutMeasurements {
        var result = PlayoutMeasurements()
        result.receiver = configuration.receivers[index].id
        result.flow = configuration.flowID(session: session, receiver: index)
        result.algorithm = "fixed"
        let seen = ledger.receivers[index * ledger.rowCount + session]
        result.delay = seen.playoutDelay.distribution
        result.buffer = seen.buffer.distribution
        // What was sent behind the last datagram released was due, too, though nothing of it has come.
        let isMoreDue = nextTimeout == nil && seen.nextReleased < sent(session).packets
        if configuration.sessions == nil {
            result.underruns = receivers[index].underruns + (isMoreDue && receivers[index].hasRunDry ? 1 : 0)
            result.overflows = receivers[index].overflows
        } else {
            let hasRunDry = sessionReceivers[index].hasRunDry(session)
            result.underruns = sessionReceivers[index].underruns(ofSession: session) + (isMoreDue && hasRunDry ? 1 : 0)
            result.overflows = sessionReceivers[index].overflows(ofSession: session)
        }
        if let commands = ledger.commands {
            result.commands = commands.count(index)
            result.pausedNanoseconds = commands.paused(index, at: now).nanoseconds
        }
        result.positionNanoseconds = ledger.positions?.positions[index]?.nanoseconds
        return result
    }

    private func clock(_ node: Int, _ id: String) -> ClockMeasurements {
        var result = ClockMeasurements()
        result.node = id
        let seen = ledger.clocks[node]
        result.algorithm = configuration.synchronization[id] ?? "none"
        result.offsetError = seen.errors.distribution
        result.trueFrequencyPartsPerBillion = clocks[node].raw.frequencyError(at: now).scaled(
            by: 1, over: 1_000, .nearest)
        guard configuration.synchronization[id] != nil else { return result }
        result.estimatedFrequencyPartsPerBillion = seen.estimatedFrequency
        result.synchronizedNanoseconds = seen.firstCorrection?.nanoseconds
        result.bound = seen.bounds.distribution
        result.boundViolations = seen.bounds.count > 0 ? seen.violations : nil
        result.exchanges = seen.exchanges
        result.exchangesUsed = seen.exchangesUsed
        return result
    }

    private func link(_ index: Int) -> LinkMeasurements {
        let link = topology.links[index]
        var result = LinkMeasurements()
        result.id = topology.ids[index]
        result.direction = topology.isForward[index] ? "forward" : "reverse"
        result.packetsIn = link.counters.packetsIn
        result.packetsOut = link.counters.packetsOut
        let counts = link.counters.all
        result.lossDrops = counts.lost
        result.queueFullDrops = counts.queueFull
        result.aqmDrops = counts.managed
        result.downDrops = counts.down
        result.policedDrops = counts.policed
        result.duplicated = counts.duplicated
        result.marked = link.marked
        if let rate = topology.rates[index] {
            result.rateBitsPerSecond = Int64(rate.bitsPerSecond)
            result.queueDelay = link.queueDelay.distribution
            if now > .zero { result.utilization = Double(link.busyTime.nanoseconds) / Double(now.nanoseconds) }
        }
        return result
    }
}
