import Timebase

/// The virtual-time driver: as soon as one event has been served, it is the next event's time.
public enum VirtualTime {
    /// Events between two questions whether to stop.
    private static let eventsPerQuestion = 4_096

    /// Runs a World until everything has met its fate.
    ///
    /// - Parameters:
    ///   - world: the World.
    ///   - shouldStop: asked now and then; once it says so, the sources stop and what is under way drains.
    ///   - take: gets every effect while its bytes are valid.
    /// - Returns: when the sources were stopped, if they were.
    @discardableResult
    public static func run<Failure: Error>(
        _ world: inout World, shouldStop: (borrowing World) -> Bool,
        take: (borrowing World, WorldOutput) throws(Failure) -> Void
    ) throws(Failure) -> Instant? {
        var stopped: Instant?
        var events = 0
        while let next = world.nextTimeout {
            world.handleTimeout(at: next)
            if world.hasOutput {
                while let output = world.pollOutput() { try take(world, output) }
            }
            events += 1
            if events % eventsPerQuestion == 0, stopped == nil, shouldStop(world) {
                stopped = world.now
                world.handle(.stopSources, at: world.now)
            }
        }
        while let output = world.pollOutput() { try take(world, output) }
        return stopped
    }

    /// Runs a World whose effects nobody takes.
    public static func run(_ world: inout World) {
        run(&world, shouldStop: { _ in false }, take: { _, _ in })
    }
}
