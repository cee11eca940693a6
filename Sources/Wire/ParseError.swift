/// Why bytes are not what they were taken for.
@frozen
public enum ParseError: Error, Hashable, Sendable, BitwiseCopyable {
    /// The bytes end before the structure does.
    case truncated
    /// A start code, sync byte or type that begins every such structure is absent.
    case notRecognized
    /// The version is not one that this package reads.
    case unsupportedVersion
    /// A length field contradicts the bytes around it.
    case badLength
    /// The checksum or CRC does not match.
    case badChecksum
    /// A field holds a value that its standard forbids.
    case forbiddenValue
}
