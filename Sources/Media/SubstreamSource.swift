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
        case recorded(RecordedUnits)
    }

    var origin: Origin

    init(_ origin: Origin) { self.origin = origin }

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
        case .recorded(var units):
            defer { origin = .recorded(units) }
            return units.next()
        }
    }

    /// Writes a part of a unit's PES packet: the bytes from `offset` on, as many as `bytes` holds.
    ///
    /// Any unit of this source may be asked for, in any order: what is written depends on the unit alone.
    ///
    /// - Parameters:
    ///   - unit: one that this source, or a copy of it, has returned.
    ///   - offset: 0...`unit.byteCount`, from the packet's first byte.
    ///   - bytes: all of them are written; at most `unit.byteCount - offset`.
    public func write(_ unit: MediaUnit, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) {
        precondition(offset >= 0 && bytes.count <= unit.byteCount - offset)
        switch origin {
        case .h264(let units): units.write(unit, from: offset, into: bytes)
        case .mp2(let units): units.write(unit, from: offset, into: bytes)
        case .opaque(let units): units.write(unit, from: offset, into: bytes)
        case .traced(let units): units.write(unit, from: offset, into: bytes)
        case .recorded(let units): units.write(unit, from: offset, into: bytes)
        }
    }
}
