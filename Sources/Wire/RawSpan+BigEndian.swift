extension RawSpan {
    /// The integer at `offset`, most significant byte first.
    ///
    /// - Throws: `truncated` when it does not lie inside the span.
    @inlinable
    public func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type = T.self, at offset: Int
    ) throws(ParseError) -> T {
        guard offset >= 0, offset <= byteCount - MemoryLayout<T>.size else { throw .truncated }
        return T(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The three bytes at `offset` as an unsigned integer, most significant byte first.
    ///
    /// - Throws: `truncated` when they do not lie inside the span.
    @inlinable
    public func bigEndian24(at offset: Int) throws(ParseError) -> UInt32 {
        guard offset >= 0, offset <= byteCount - 3 else { throw .truncated }
        return UInt32(loaded(UInt8.self, at: offset)) &<< 16 | UInt32(loaded(UInt16.self, at: offset &+ 1))
    }

    /// The bytes in an array of their own.
    public var copied: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Whether both hold the same bytes.
    public func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return withUnsafeBytes { first in other.withUnsafeBytes { second in first.elementsEqual(second) } }
    }

    /// For offsets already checked: outside the span it traps.
    @inlinable
    func loaded<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self, at offset: Int) -> T {
        T(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Stores an integer most significant byte first. The caller has checked that it fits.
    @inlinable
    func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    }
}

extension [UInt8] {
    /// Appends an integer most significant byte first.
    @inlinable
    mutating func appendBigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
