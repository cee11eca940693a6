import Timebase

/// How a program's datagrams look to the network.
public struct DatagramTraits: Sendable {
    /// An index into whoever's table of flows.
    var flow: UInt16
    /// The DSCP (RFC 2474), 0...63.
    var differentiatedServices: UInt8
    /// What they can take on their way.
    var marks: Packet.Marks

    public init(flow: UInt16, differentiatedServices: UInt8 = 0, marks: Packet.Marks = []) {
        self.flow = flow
        self.differentiatedServices = differentiatedServices
        self.marks = marks
    }
}
