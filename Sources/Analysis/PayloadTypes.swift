import Wire

/// The payload types of one stream: how many packets each has, and what it is.
struct PayloadTypes {
    /// What packets of a type say of time.
    enum Role {
        /// Their timestamps are when they are to be played.
        case media
        /// Telephone events (RFC 4733) repeat the timestamp at which the event began.
        case event
        /// Comfort noise (RFC 3389): sent when the noise changes, not at a pace.
        case comfortNoise
    }

    struct Record {
        let number: UInt8
        var packets: Int64 = 0
        /// Packets with nothing behind the header.
        var empty: Int64 = 0
        var encoding: RTPEncoding?
        var source = StreamMeasurements.ClockSource.unknown
        /// Nobody describes it, and all its packets look like telephone events.
        var looksLikeEvents: Bool

        var role: Role {
            guard let encoding else {
                // 19 was comfort noise before RFC 3551.
                return looksLikeEvents ? .event : number == 19 ? .comfortNoise : .media
            }
            return switch encoding.name.lowercased() {
            case "telephone-event", "tone": .event
            case "cn": .comfortNoise
            default: .media
            }
        }
    }

    /// In the order of their first packets.
    private(set) var records: [Record] = []
    /// The place of the last packet's type, and whether it says something of time.
    private var latest = -1
    private var latestNumber: UInt8 = 0xff
    private var latestIsMedia = false

    /// Counts a packet of the same type as the one before, whose timestamp says when it is to be played; false: it is another
    /// one, and not counted.
    mutating func noteAnother(_ arrival: RTPArrival) -> Bool {
        guard arrival.payloadType == latestNumber, latestIsMedia, arrival.payloadCount > 0 else { return false }
        records[latest].packets &+= 1
        return true
    }

    /// Counts a packet; whether its timestamp says when it is to be played.
    mutating func note(_ arrival: RTPArrival, _ flow: Flow) -> Bool {
        noteAnother(arrival) || noteOther(arrival, flow)
    }

    @inline(never)
    private mutating func noteOther(_ arrival: RTPArrival, _ flow: Flow) -> Bool {
        let number = arrival.payloadType
        latest = records.firstIndex { $0.number == number } ?? records.count
        if latest == records.count {
            records.append(Record(number: number, looksLikeEvents: number >= 96 && arrival.looksLikeEvent))
            name(latest, flow)
        }
        latestNumber = number
        records[latest].packets += 1
        if arrival.payloadCount == 0 {
            records[latest].empty += 1
        } else if !arrival.looksLikeEvent {
            records[latest].looksLikeEvents = false
        }
        latestIsMedia = records[latest].role == .media
        return latestIsMedia && arrival.payloadCount > 0
    }

    /// Asks the flow what its types are. The first to say it is believed.
    mutating func name(_ flow: Flow) {
        for place in records.indices { name(place, flow) }
        latestNumber = 0xff
    }

    private mutating func name(_ place: Int, _ flow: Flow) {
        guard records[place].source == .unknown || records[place].source == .estimated,
            let (encoding, source) = flow.encoding(of: records[place].number)
        else { return }
        records[place].encoding = encoding
        records[place].source = source
    }

    /// Says what a type is that nobody describes.
    mutating func assume(_ encoding: RTPEncoding, of number: UInt8) {
        guard let place = records.firstIndex(where: { $0.number == number }), records[place].encoding == nil else {
            return
        }
        records[place].encoding = encoding
        records[place].source = .estimated
    }

    func record(_ number: UInt8) -> Record? { records.first { $0.number == number } }

    /// The type of most packets that are media; of any where none are.
    var main: Record? {
        let media = records.filter { $0.role == .media && $0.packets > $0.empty }
        return (media.isEmpty ? records : media).max { ($0.packets, $1.number) < ($1.packets, $0.number) }
    }

    func packets(_ role: Role) -> Int64 { records.filter { $0.role == role }.reduce(0) { $0 + $1.packets - $1.empty } }
    var empty: Int64 { records.reduce(0) { $0 + $1.empty } }
}
