/// A message of SIP (RFC 3261 §7) or RTSP (RFC 2326 §4), as far as it tells of media.
public struct SignallingMessage: Hashable, Sendable {
    /// The method of a request, "DESCRIBE"; nil in a response.
    public var method: String?
    /// What a request is about.
    public var address: String
    /// Of a response.
    public var status: Int?
    /// Header fields by their names in small letters, compact forms of SIP written out.
    public var fields: [String: String]
    /// What follows the header, as far as it has come.
    public var body: String
    /// Bytes of the body that have not come yet.
    public var missing: Int

    private static let methods: Set<String> = [
        "INVITE", "ACK", "UPDATE", "PRACK", "OPTIONS", "DESCRIBE", "SETUP", "ANNOUNCE", "PLAY", "RECORD", "PAUSE",
        "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER", "REDIRECT",
    ]
    private static let compact = ["c": "content-type", "l": "content-length"]

    /// Whether a message may begin with this byte: a method's or a version's capital letter.
    @inlinable
    public static func mayBegin(with byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }

    /// Reads a message; nil for what is none, or ends within its header.
    public init?(_ bytes: RawSpan) {
        // A cheap look first: the version stands in the first line.
        guard bytes.byteCount >= 16, let first = try? bytes.bigEndian(UInt8.self, at: 0), Self.mayBegin(with: first)
        else { return nil }
        let text = bytes.extracting(0..<min(bytes.byteCount, 65_536)).copied
        let start = text.prefix { $0 != 13 && $0 != 10 }
        guard start.count < 2048 else { return nil }
        let words = String(decoding: start, as: UTF8.self).split(separator: " ")
        guard words.count >= 3 || words.count == 2, let opening = words.first, let last = words.last else { return nil }
        fields = [:]
        if opening == "SIP/2.0" || opening.hasPrefix("RTSP/") {
            guard words.count >= 2, let code = Int(words[1]) else { return nil }
            (method, status, address) = (nil, code, "")
        } else {
            guard words.count == 3, Self.methods.contains(String(opening)), last == "SIP/2.0" || last.hasPrefix("RTSP/")
            else { return nil }
            (method, status, address) = (String(opening), nil, String(words[1]))
        }
        guard let end = Self.headerEnd(text) else { return nil }
        let header = String(decoding: text[..<end.header], as: UTF8.self)
        for line in header.split(whereSeparator: \.isNewline).dropFirst().prefix(256) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let name = parts[0].lowercased().filter { $0 != " " }
            fields[Self.compact[name] ?? name] = String(parts[1].drop { $0 == " " })
        }
        let rest = text[end.body...]
        let count = fields["content-length"].flatMap { Int($0.prefix { $0.isNumber }) }
        missing = count.map { max(0, min($0, 65_536) - rest.count) } ?? 0
        body = String(decoding: rest.prefix(count.map { max($0, 0) } ?? rest.count), as: UTF8.self)
    }

    /// Where the header ends and the body begins: an empty line is between them.
    private static func headerEnd(_ text: [UInt8]) -> (header: Int, body: Int)? {
        var index = 0
        while let line = text[index...].firstIndex(of: 10) {
            if line + 1 < text.count, text[line + 1] == 10 { return (line, line + 2) }
            if line + 2 < text.count, text[line + 1] == 13, text[line + 2] == 10 { return (line, line + 3) }
            index = line + 1
        }
        return nil
    }

    /// The streams that the body describes: it is SDP, or has SDP among its parts.
    public var media: [MediaDescription] {
        var lines = body.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard let begin = lines.firstIndex(where: { $0.hasPrefix("v=0") }) else { return [] }
        lines.removeFirst(begin)
        return MediaDescription.all(in: lines.prefix { !$0.hasPrefix("--") }.joined(separator: "\n"))
    }
}
