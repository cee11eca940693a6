/// A class of service: a DSCP, 0...63 (RFC 2474), by its usual name where it has one.
public struct ServiceClass: Hashable, Sendable {
    /// The DSCP, 0...63.
    public let codePoint: UInt8

    static let bestEffort = ServiceClass(codePoint: 0)

    /// What a scenario may write, in words.
    static let words = "a DSCP: EF, AF11 ... AF43, CS0 ... CS7, BE, LE, or 0 to 63"

    init(codePoint: UInt8) { self.codePoint = codePoint & 63 }

    /// `EF`, `AF41`, `CS5`, `LE`, `VA`, `BE` (or `DF`, `CS0`), or a number.
    init?(_ text: String) {
        if let number = UInt8(text), number < 64 {
            codePoint = number
        } else if let known = Self.names.first(where: { $0.0 == text }) {
            codePoint = known.1
        } else {
            return nil
        }
    }

    /// As a scenario writes it: `EF`, or a number where there is no usual name.
    public var name: String { Self.names.first { $0.1 == codePoint }?.0 ?? "\(codePoint)" }

    /// RFC 2474, 2597, 3246, 5865, 8622.
    private static let names: [(String, UInt8)] =
        [("BE", 0), ("DF", 0), ("LE", 1), ("EF", 46), ("VA", 44)]
        + (0...7).map { ("CS\($0)", UInt8($0 * 8)) }
        + (1...4).flatMap { group in (1...3).map { ("AF\(group)\($0)", UInt8(8 * group + 2 * $0)) } }
}
