import Timebase

/// The units of one substream in decoding order, made or found as they are asked for.
///
/// A value: a copy goes on from where the original stands, and neither moves the other.
public struct SubstreamSource: Sendable {
    /// In a box, so that making a unit costs no copy of what makes it.
    private var units: any UnitSequence
    /// Writes the bytes of this source's units.
    public let writer: UnitWriter

    init(_ units: some UnitSequence) {
        self.units = units
        writer = Writer(units)
    }

    /// Where the parts of a unit lie that are decoded one by one, bytes from its first: the slices of a picture, the frames
    /// of sound. Empty where they are not known.
    ///
    /// - Parameter unit: one that this source, or a copy of it, has returned.
    /// - Complexity: O(bytes of the unit).
    public func parts(of unit: MediaUnit) -> [Range<Int>] { units.parts(of: unit) }

    /// The next unit, or nil behind the last. An endless source never returns nil.
    public mutating func next() -> MediaUnit? { units.next() }
}

/// A kind of source: makes or finds units, and writes them.
protocol UnitSequence: UnitWriting {
    mutating func next() -> MediaUnit?
    func parts(of unit: MediaUnit) -> [Range<Int>]
}

extension UnitSequence {
    func parts(of unit: MediaUnit) -> [Range<Int>] { [] }
}

/// Writes the bytes of units: any of a source's, in any order, because what is written depends on the unit alone.
///
/// A class, so that the multiplexer's call for every transport packet costs no copy of a source and its parts.
public class UnitWriter: @unchecked Sendable {
    // `@unchecked Sendable`: this class has no state, and its only subclass a constant one that is Sendable.

    /// Writes a part of a unit's PES packet: the bytes from `offset` on, as many as `bytes` holds.
    ///
    /// - Parameters:
    ///   - unit: one that this writer's source, or a copy of it, has returned.
    ///   - offset: 0...`unit.byteCount`, from the packet's first byte.
    ///   - bytes: all of them are written; at most `unit.byteCount - offset`.
    public func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {}
}

/// What a kind of source knows about writing.
protocol UnitWriting: Sendable {
    func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer)
}

private final class Writer<Units: UnitWriting>: UnitWriter, @unchecked Sendable {
    private let units: Units

    init(_ units: Units) { self.units = units }

    override func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        precondition(offset >= 0 && bytes.count <= unit.byteCount - offset)
        units.write(unit, from: offset, into: bytes)
    }
}
