/// How many messages of each member of a group have been delivered to one, or had been delivered to the sender of a
/// message when it was sent, that message included (Birman, Schiper and Stephenson 1991). Only messages **sent** count.
struct DeliveryVector: Hashable, Sendable {
    /// Messages of each member, by its place in the group.
    private(set) var counts: [UInt32]

    /// Nothing has been delivered yet, of any of so many members.
    init(count: Int) { counts = Array(repeating: 0, count: count) }

    /// What a message says of its sender's deliveries.
    init(_ counts: [UInt32]) { self.counts = counts }

    /// One more message of a member has been sent or delivered.
    mutating func count(messageOf member: Int) { counts[member] += 1 }

    /// The same with another count for one member.
    func counting(_ count: UInt32, of member: Int) -> DeliveryVector {
        var vector = self
        vector.counts[member] = count
        return vector
    }

    /// Whether a message with this vector may be delivered to who has had `delivered`: it is the sender's next one, and
    /// all that its sender had been delivered before has been delivered here too.
    func isDeliverable(from sender: Int, after delivered: DeliveryVector) -> Bool {
        guard counts.count == delivered.counts.count else { return false }
        return counts.indices.allSatisfy { member in
            member == sender
                ? counts[member] == delivered.counts[member] + 1 : counts[member] <= delivered.counts[member]
        }
    }
}
