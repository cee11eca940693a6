import Capture
import Timebase
import Wire

extension CaptureAnalyzer {
    /// What begins with version 2: RTP, RTCP, or by chance something else.
    func addVersionTwo(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) {
        guard let second = try? payload.bigEndian(UInt8.self, at: 1) else { return }
        // RFC 5761 §4: these are RTCP's types, and no payload type with marker may look like them.
        if (192...223).contains(second) {
            if addRTCP(flow, datagram, payload) { return }
            if isRTCPPort(flow) { result.malformedRTCP += 1 } else { _ = hold(flow, datagram, payload) }
            return
        }
        if DatagramSignature(payload, payloadCount: datagram.payloadCount) == .srtHandshake {
            flow.isSRT = true
            flows[flow.key.reversed]?.isSRT = true
            return
        }
        guard flow.carriage != .ts, let arrival = arrival(datagram, payload),
            let ssrc = try? payload.bigEndian(UInt32.self, at: 8)
        else {
            _ = hold(flow, datagram, payload)
            return
        }
        // Where the capture has all of the packet and its payload is in clear.
        let isWhole = payload.byteCount == datagram.payloadCount && !flow.isEncrypted
        let end = payload.byteCount - (isWhole ? arrival.paddingCount : 0)
        let media = payload.extracting((isWhole ? end - arrival.payloadCount : end)..<end)
        if let stream = flow.stream(of: ssrc) {
            stream.add(arrival, media: media)
        } else {
            if TransportStreamMeter.packetLength(of: media) == nil { _ = hold(flow, datagram, payload) }
            addCandidate(flow, ssrc, arrival, media: media)
        }
    }

    /// The packet as RTP; nil when it cannot be.
    private func arrival(_ datagram: Datagram, _ payload: RawSpan) -> RTPArrival? {
        let header: RTPHeader
        if payload.byteCount == datagram.payloadCount {
            guard let whole = try? RTPHeader(parsing: payload) else { return nil }
            header = whole
        } else {
            // The capture cut it: the fixed header is enough, and where padding is cannot be seen.
            guard payload.byteCount >= RTPHeader.fixedLength,
                let cut = try? RTPHeader(parsing: payload.extracting(0..<RTPHeader.fixedLength).withoutOptions)
            else { return nil }
            header = cut
        }
        var arrival = RTPArrival(
            instant: datagram.instant, payloadType: header.payloadType, sequenceNumber: header.sequenceNumber,
            timestamp: header.timestamp, count: datagram.payloadCount,
            payloadCount: max(header.payloadCount, datagram.payloadCount - RTPHeader.fixedLength))
        if payload.byteCount == datagram.payloadCount {
            arrival.payloadCount = header.payloadCount
            arrival.paddingCount = Int(header.paddingCount)
            arrival.looksLikeEvent = header.payloadCount == 4 && Self.isEvent(payload, at: header.payloadOffset)
        }
        return arrival
    }

    /// Event, end and volume, duration; the second bit of the second byte is always zero (RFC 4733 §2.3). The events of
    /// telephones are numbers up to 16.
    private static func isEvent(_ payload: RawSpan, at offset: Int) -> Bool {
        guard let event = try? payload.bigEndian(UInt32.self, at: offset) else { return false }
        return event >> 24 <= 16 && event & 0x40_0000 == 0 && event & 0xffff != 0
    }

    private func addCandidate(_ flow: Flow, _ ssrc: UInt32, _ arrival: RTPArrival, media: RawSpan) {
        let isDescribed = flow.description?.isRTP == true || flow.carriage == .rtp
        // Static, or dynamic; what lies between is unassigned or RTCP's.
        let type = arrival.payloadType
        let isPlausible = type >= 96 || RTPEncoding(staticPayloadType: type) != nil || options.clocks[type] != nil
        guard isDescribed || isPlausible, flow.streams.count < Flow.maximumStreams else { return }
        var arrival = arrival
        if heldBytes <= Self.maximumHeldBytes, TransportStreamMeter.packetLength(of: media) != nil {
            arrival.transportPackets = media.copied
            heldBytes += media.byteCount
        }
        if heldArrivals >= Self.maximumHeldArrivals {
            for candidate in flow.candidates { release(candidate) }
            flow.candidates = []
            guard heldArrivals < Self.maximumHeldArrivals else { return }
        }
        // The one heard last stands last: where there are too many, the one not heard for longest goes.
        var candidate = RTPCandidate(ssrc: ssrc)
        if let index = flow.candidates.lastIndex(where: { $0.ssrc == ssrc }) {
            candidate = flow.candidates.remove(at: index)
        } else if flow.candidates.count == Flow.maximumCandidates {
            release(flow.candidates.removeFirst())
        }
        heldArrivals -= candidate.arrivals.count
        heldBytes -= candidate.add(arrival, isDescribed: isDescribed)
        heldArrivals += candidate.arrivals.count
        if candidate.isStream(isDescribed: isDescribed, atEnd: false) {
            admit(candidate, to: flow)
        } else {
            flow.candidates.append(candidate)
        }
    }

    private func release(_ candidate: RTPCandidate) {
        heldArrivals -= candidate.arrivals.count
        for arrival in candidate.arrivals { heldBytes -= arrival.transportPackets?.count ?? 0 }
    }

    func admit(_ candidate: RTPCandidate, to flow: Flow) {
        release(candidate)
        endProbe(flow)
        let stream = RTPStream(flow, ssrc: candidate.ssrc, opening: candidate.arrivals, playout: options.playout)
        if flow.isSecure { stream.kind = .srtp }
        flow.add(stream)
        streams.append(stream)
        streamsBySSRC[candidate.ssrc, default: []].append(stream)
        for arrival in candidate.arrivals { stream.add(arrival, media: RawSpan()) }
        if candidate.arrivals.allSatisfy({ $0.transportPackets != nil }) { stream.assumeTransportStream() }
        for report in reports { take(report, only: stream) }
    }
}

extension RawSpan {
    /// A fixed RTP header as if it said nothing of padding, extension and contributing sources.
    fileprivate var withoutOptions: [UInt8] {
        var bytes = copied
        if !bytes.isEmpty { bytes[0] &= 0xc0 }
        return bytes
    }
}

extension RTPHeader {
    fileprivate init(parsing bytes: [UInt8]) throws(ParseError) {
        try self.init(parsing: bytes.span.bytes)
    }
}
