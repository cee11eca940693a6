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
        result.digest = digest
        // From the sender on, as the scenario lists them.
        result.links = topology.listing.map { link($0) }
        result.transportStreams.append(sender.monitor.measurements(point: "sender"))
        result.clocks.append(clock("sender", sender.clock, senderClockError))
        for index in receivers.indices {
            result.flows.append(flow(index))
            result.substreams += configuration.program.substreams.indices.map { substream($0, receiver: index) }
            result.lipSync += receivers[index].ledger.pairs.map { lipSync($0, receiver: index) }
            result.playout.append(playout(index))
            result.transportStreams.append(
                receivers[index].ledger.monitor.measurements(point: configuration.receivers[index].id))
            result.clocks.append(
                clock(configuration.receivers[index].id, receivers[index].clock, receivers[index].ledger.clockError))
        }
        result.reservations = reservations
        result.warnings = configuration.program.warnings.map { .program($0) }
        for row in result.reservations { warn(of: row, in: &result) }
        let tooLate = sender.multiplexer.counters.reduce(0) { $0 + $1.unitsTooLate }
        if tooLate > 0 {
            result.warnings.append(.multiplexedTooLate(units: tooLate))
        }
        for index in receivers.indices { warn(of: index, in: &result) }
        return result
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
    private func warn(of index: Int, in result: inout RunMeasurements) {
        let ledger = receivers[index].ledger
        let id = configuration.receivers[index].id
        if ledger.delivered == 0, sender.packetsSent > 0 {
            result.warnings.append(.nothingArrived(receiver: id))
        } else if ledger.late * 10 > ledger.delivered {
            result.warnings.append(.lateDatagrams(receiver: id, late: ledger.late, delivered: ledger.delivered))
        }
        for (lane, substream) in configuration.program.substreams.enumerated() {
            let counters = sender.multiplexer.counters[lane]
            guard counters.units > 0, ledger.delivered > 0, let end = counters.lastPresentationEnd else { continue }
            guard let latest = ledger.lanes[lane].latestPresentation else {
                result.warnings.append(.neverPresented(receiver: id, substream: substream.id))
                continue
            }
            if end - latest.media > .seconds(1) {
                result.warnings.append(
                    .stoodStill(receiver: id, substream: substream.id, span: end - latest.media))
            }
        }
    }

    private func flow(_ index: Int) -> FlowMeasurements {
        let ledger = receivers[index].ledger
        var flow = FlowMeasurements()
        flow.id = "program"
        flow.receiver = configuration.receivers[index].id
        flow.carriage = configuration.carriage.rawValue
        flow.sent = sender.packetsSent
        flow.delivered = ledger.delivered
        for link in topology.paths[index] {
            let counts = topology.links[link].counters[Self.programFlow]
            flow.lostLink += counts.lost + counts.down
            flow.droppedQueue += counts.queueFull + counts.managed + counts.policed
            flow.duplicated += counts.duplicated
            flow.marked += topology.links[link].marked(flow: Self.programFlow)
        }
        flow.droppedChecksum = ledger.damaged
        flow.late = ledger.late
        flow.duplicates = ledger.duplicates
        flow.reordered = ledger.window.reordered
        flow.unrepaired = flow.sent - (ledger.delivered - ledger.window.duplicates)
        flow.sentBitsPerSecond = sender.rate.bitsPerSecond
        flow.deliveredBitsPerSecond = ledger.rate.bitsPerSecond
        let media = sender.multiplexer.counters.reduce(0) { $0 + $1.bytes }
        if sender.rate.bytes > 0 { flow.overheadRatio = 1 - Double(media) / Double(sender.rate.bytes) }
        flow.oneWayDelay = ledger.oneWayDelay.distribution
        flow.oneWayDelayMeasured = ledger.oneWayDelayMeasured.distribution
        flow.oneWayDelayError = ledger.oneWayDelayError.distribution
        flow.roundTrip = ledger.roundTrip.distribution
        flow.ipdv = ledger.variation.ipdv
        flow.pdv = ledger.variation.pdv
        flow.interarrivalJitter = ledger.jitter?.measurements
        flow.lossRunsOnWire = ledger.window.lossRuns
        flow.lossRuns = ledger.streamWindow?.lossRuns ?? flow.lossRunsOnWire
        flow.sessionSetupNanoseconds = ledger.firstPresentation?.nanoseconds
        flow.delayFactorNanoseconds = ledger.deliveryIndex?.largestDelayFactor
        flow.mediaLossRatePerSecond = MediaDeliveryIndex.mediaLossRate(
            // At variable rate datagrams differ in packets: their mean.
            lostMediaPackets: sender.packetsSent == 0
                ? 0
                : flow.unrepaired.scaled(by: sender.multiplexer.packetsSent, over: sender.packetsSent, .nearest),
            over: sender.latestSent - (sender.firstSent ?? .zero))
        return flow
    }

    private func substream(_ lane: Int, receiver index: Int) -> SubstreamMeasurements {
        let description = configuration.program.substreams[lane]
        let sent = sender.multiplexer.counters[lane]
        let seen = receivers[index].ledger.lanes[lane]
        var result = SubstreamMeasurements()
        result.id = description.id
        switch description.kind {
        case .video: result.kind = "video"
        case .audio: result.kind = "audio"
        case .data: result.kind = "data"
        }
        result.receiver = configuration.receivers[index].id
        result.sentUnits = sent.units
        result.sentBytes = sent.bytes
        if let first = sent.firstPresentation, let end = sent.lastPresentationEnd, end > first {
            result.sentBitsPerSecond = (sent.bytes * 8).scaled(
                by: 1_000_000_000, over: (end - first).nanoseconds, .nearest)
        }
        result.onTime = seen.onTime
        result.late = seen.late
        result.damaged = seen.damaged
        result.missing = sent.units - seen.onTime - seen.late - seen.damaged
        result.endToEndDelay = seen.endToEnd.distribution
        // Without a picture there was nothing to freeze.
        result.freezes = seen.latestPresentation == nil ? nil : seen.freezes?.measurements
        return result
    }

    private func lipSync(_ pair: ReceiverLedger.Pair, receiver index: Int) -> LipSyncMeasurements {
        let substreams = configuration.program.substreams
        var result = pair.sampler.estimator.measurements
        result.receiver = configuration.receivers[index].id
        result.audio = substreams[pair.audio].id
        result.video = substreams[pair.video].id
        return result
    }

    private func playout(_ index: Int) -> PlayoutMeasurements {
        var result = PlayoutMeasurements()
        result.receiver = configuration.receivers[index].id
        result.algorithm = "fixed"
        result.delay = receivers[index].ledger.playoutDelay.distribution
        result.buffer = receivers[index].ledger.buffer.distribution
        result.underruns = receivers[index].media.underruns
        result.overflows = receivers[index].media.overflows
        return result
    }

    private func clock(_ node: String, _ oscillator: Oscillator, _ errors: Histogram) -> ClockMeasurements {
        var result = ClockMeasurements()
        result.node = node
        result.algorithm = "none"
        result.offsetError = errors.distribution
        result.trueFrequencyPartsPerBillion = oscillator.frequency
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
