/// Writes one window of a unit whose parts are named in order from the unit's start; what lies outside is skipped.
struct PieceWriter {
    private let destination: UnsafeMutableRawPointer
    private let start: Int
    private let end: Int
    /// Where in the unit the next part begins.
    private(set) var position = 0

    init(_ destination: UnsafeMutableRawBufferPointer, from offset: Int) {
        // Without a base address there is no byte to write, and the window is empty.
        self.destination = destination.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1).unsafelyUnwrapped
        start = offset
        end = offset + destination.count
    }

    /// Whether a part of `count` bytes has any in the window; if not, `skip` will do.
    func needs(_ count: Int) -> Bool { position < end && position + count > start }

    var isDone: Bool { position >= end }

    mutating func skip(_ count: Int) { position += count }

    mutating func put(_ source: UnsafeRawPointer, count: Int) {
        let from = max(position, start)
        let to = min(position + count, end)
        if from < to {
            (destination + (from - start)).copyMemory(from: source + (from - position), byteCount: to - from)
        }
        position += count
    }

    mutating func fill(_ byte: UInt8, count: Int) {
        let from = max(position, start)
        let to = min(position + count, end)
        if from < to {
            (destination + (from - start)).initializeMemory(as: UInt8.self, repeating: byte, count: to - from)
        }
        position += count
    }

    /// `count` bytes of the filler at the start of `store`, beginning at `phase` and going around.
    mutating func putFiller(_ store: ByteStore, phase: Int, count: Int) {
        let from = max(position, start)
        let to = min(position + count, end)
        if from < to {
            let window = UnsafeMutableRawBufferPointer(start: destination + (from - start), count: to - from)
            store.copyFiller(phase: phase + (from - position), into: window)
        }
        position += count
    }
}
