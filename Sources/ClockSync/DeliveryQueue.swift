import Timebase

/// A message to the group at a member that has it.
struct HeldMessage: Sendable {
    /// Its sender's place in the group, and which of its messages it is, from 0.
    var sender: Int
    var number: UInt32
    /// When it was sent.
    var stamp: LogicalStamp
    var delivery: DeliveryVector
    var payload: [UInt8]
}

/// What holds messages back until they may be delivered. All come by links that keep each sender's order.
protocol DeliveryQueue: Sendable {
    /// A message has come, or is the member's own.
    mutating func take(_ message: HeldMessage)
    /// Something has come from a member that left when its Lamport clock was `lamport`.
    mutating func heard(_ member: Int, lamport: UInt64)
    /// The sequencer has given a message its place, from 0.
    mutating func take(place: UInt32, of sender: Int, number: UInt32)
    /// The next message that may be delivered.
    mutating func next() -> HeldMessage?
}

extension DeliveryQueue {
    mutating func heard(_ member: Int, lamport: UInt64) {}
    mutating func take(place: UInt32, of sender: Int, number: UInt32) {}
}

/// Each sender's messages in its order: as they come.
struct FIFOQueue: DeliveryQueue {
    private var messages: [HeldMessage] = []

    mutating func take(_ message: HeldMessage) { messages.append(message) }

    mutating func next() -> HeldMessage? { messages.isEmpty ? nil : messages.removeFirst() }
}

/// Causal order: a message waits until all has been delivered that its sender had been delivered.
struct CausalQueue: DeliveryQueue {
    private(set) var delivered: DeliveryVector
    private var messages: [HeldMessage] = []

    init(members: Int) { delivered = DeliveryVector(count: members) }

    mutating func take(_ message: HeldMessage) { messages.append(message) }

    mutating func next() -> HeldMessage? {
        guard
            let index = messages.firstIndex(where: { $0.delivery.isDeliverable(from: $0.sender, after: delivered) })
        else { return nil }
        delivered.count(messageOf: messages[index].sender)
        return messages.remove(at: index)
    }
}

/// Total order by Lamport's clocks (1978): the message with the least stamp is delivered once every member has been heard
/// with a greater one, as each acknowledges each message to all.
struct TotalQueue: DeliveryQueue {
    private let place: Int
    /// The greatest Lamport stamp that came of each member.
    private var latest: [UInt64]
    /// In the order of their stamps.
    private var messages: [HeldMessage] = []

    /// - Parameter place: the own place among the members.
    init(members: Int, place: Int) {
        self.place = place
        latest = Array(repeating: 0, count: members)
    }

    mutating func take(_ message: HeldMessage) {
        let index = messages.firstIndex { message.stamp.precedes($0.stamp) } ?? messages.count
        messages.insert(message, at: index)
    }

    mutating func heard(_ member: Int, lamport: UInt64) { latest[member] = max(latest[member], lamport) }

    mutating func next() -> HeldMessage? {
        guard let first = messages.first else { return nil }
        // What this member sends from now on has a greater stamp anyway, and the sender's next as well.
        let isSettled = latest.indices.allSatisfy {
            $0 == place || $0 == first.sender || latest[$0] > first.stamp.lamport
        }
        return isSettled ? messages.removeFirst() : nil
    }
}

/// The order that one member, the sequencer, has given.
struct SequencedQueue: DeliveryQueue {
    private struct Name: Hashable {
        var sender: Int
        var number: UInt32
    }

    private var messages: [Name: HeldMessage] = [:]
    private var places: [UInt32: Name] = [:]
    private var nextPlace: UInt32 = 0

    mutating func take(_ message: HeldMessage) {
        messages[Name(sender: message.sender, number: message.number)] = message
    }

    mutating func take(place: UInt32, of sender: Int, number: UInt32) {
        guard place >= nextPlace else { return }
        places[place] = Name(sender: sender, number: number)
    }

    mutating func next() -> HeldMessage? {
        guard let name = places[nextPlace], let message = messages.removeValue(forKey: name) else { return nil }
        places[nextPlace] = nil
        nextPlace += 1
        return message
    }
}
