import Timebase

/// The units of one substream in decoding order, made or found as they are asked for.
///
/// A value: a copy goes on from where the original stands, and neither moves the other.
public struct SubstreamSource: Sendable {
    enum Origin: Sendable {
        case h264(H264Units)
        case mp2(MP2Units)
        case opaque(OpaqueUnits)
        case traced(TracedUnits)
        case call(CallUnits)
        case recorded(RecordedUnits)
    }

    var origin: Origin
    /// Writes the bytes of this source's units.
    public let writer: UnitWriter

    init(_ origin: Origin) {
        self.origin = origin
        switch origin {
        case .h264(let units): writer = Writer(units)
        case .mp2(let units): writer = Writer(units)
        case .opaque(let units): writer = Writer(units)
        case .traced(let units): writer = Writer(units)
        case .call(let units): writer = Writer(units)
        case .recorded(let units): writer = Writer(units)
        }
    }

    /// Where the parts of a unit lie that are decoded one by one, bytes from its first: the slices of a picture, the frames
    /// of sound. Empty where they are not known.
    ///
    /// - Parameter unit: one that this source, or a copy of it, has returned.
    /// - Complexity: O(bytes of the unit).
    public func parts(of unit: MediaUnit) -> [Range<Int>] {
        guard case .recorded(let units) = origin else { return [] }
        return units.parts(of: unit)
    }

    /// The next unit, or nil behind the last. An endless source never returns nil.
    public mutating func next() -> MediaUnit? {
        switch origin {
        case .h264(var units):
            defer { origin = .h264(units) }
            return units.next()
        case .mp2(var units):
            defer { origin = .mp2(units) }
            return units.next()
        case .opaque(var units):
            defer { origin = .opaque(units) }
            return units.next()
        case .traced(var units):
            defer { origin = .traced(units) }
            return units.next()
        case .call(var units):
            defer { origin = .call(units) }
            return units.next()
        case .recorded(var units):
            defer { origin = .recorded(units) }
            return units.next()
        }
    }
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
