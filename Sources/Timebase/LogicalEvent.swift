/// An event of a process in logical time: a message that left or came, or something it did by itself.
public struct LogicalEvent: Sendable, Equatable {
    /// What happened.
    public enum Action: Sendable, Equatable {
        /// One message left, to one process or to several at once.
        case sent(to: [UInt16])
        /// A message of this process has come.
        case received(from: UInt16)
        /// Neither; the text says what.
        case internalEvent
        /// A message to the group is handed to the program; `number` counts its sender's messages from 0.
        case delivered(from: UInt16, number: UInt32, payload: [UInt8])
        /// An agreement has ended.
        case decided(Int64)
    }

    /// When, by the process's logical clocks.
    public var stamp: LogicalStamp
    /// What happened.
    public var action: Action
    /// In a few words, for a log.
    public var text: String

    public init(stamp: LogicalStamp, action: Action, text: String) {
        self.stamp = stamp
        self.action = action
        self.text = text
    }
}
