/// What came of a client's latest selection among its servers.
public enum ServerSelection: Sendable, Equatable {
    /// No server could be believed: none was heard of, or is near enough to its reference.
    case noServers
    /// No majority of those that could agree on a time.
    case noMajority
    /// So many of them do, by number, the best first; not those that were cast out for being far from the others.
    case survivors([Int])
}
