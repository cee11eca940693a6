/// What came of an agreement by oral messages.
public struct AgreementMeasurements: Sendable {
    /// What one node decided.
    public struct Decision: Sendable {
        /// Id of the node.
        public var node: String
        /// Nil: nothing.
        public var value: Int64?
        /// Whether nothing is wrong with the node.
        public var isLoyal: Bool

        public init(node: String, value: Int64?, isLoyal: Bool) {
            self.node = node
            self.value = value
            self.isLoyal = isLoyal
        }
    }

    /// Id of the node whose value is agreed on.
    public var commander: String
    /// What it has to say.
    public var value: Int64
    /// How many traitors the rounds are for.
    public var traitors: Int64
    /// Datagrams that the members sent for it.
    public var messages: Int64 = 0
    /// Each node's.
    public var decisions: [Decision] = []

    public init(commander: String, value: Int64, traitors: Int64) {
        self.commander = commander
        self.value = value
        self.traitors = traitors
    }

    private var loyal: [Int64?] { decisions.filter(\.isLoyal).map(\.value) }

    /// Whether all loyal nodes decided, and the same; nil without one.
    public var isAgreed: Bool? {
        guard let first = loyal.first else { return nil }
        return first != nil && loyal.allSatisfy { $0 == first }
    }

    /// Whether all loyal nodes decided what the commander had to say; nil of one that is not loyal.
    public var isValid: Bool? {
        guard decisions.contains(where: { $0.node == commander && $0.isLoyal }) else { return nil }
        return loyal.allSatisfy { $0 == value }
    }
}
