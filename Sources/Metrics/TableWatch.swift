import Wire

/// A PID whose sections a ``TransportStreamMonitor`` reads, and how long its table has been awaited.
struct TableWatch: Sendable {
    /// The place in the monitor's states of the PID whose sections these are.
    let place: Int
    /// When the last section of the right table came; before the first, since when it has been awaited. Nanoseconds.
    var lastTable: Int64
    var assembler = SectionAssembler()

    init(place: Int, since instant: Int64) {
        self.place = place
        lastTable = instant
    }
}
