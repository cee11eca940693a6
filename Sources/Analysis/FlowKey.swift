import Wire

/// Who sends to whom: what UDP flows are told apart by.
struct FlowKey: Hashable {
    var source: SocketAddress
    var destination: SocketAddress

    var reversed: FlowKey { FlowKey(source: destination, destination: source) }
}
