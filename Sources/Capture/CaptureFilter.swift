import CPcap
import Wire

/// A filter expression as tcpdump takes it, compiled by libpcap, for captured packets of any link type.
///
/// Of a fragmented packet the ports are in the first fragment alone, so that a filter for ports lets no other pass.
public final class CaptureFilter {
    /// An expression that libpcap refuses.
    public struct Mistake: Error, Hashable, Sendable {
        /// libpcap's words.
        public var reason: String
    }

    let expression: String
    private var programs: [LinkType: UnsafeMutablePointer<bpf_program>?] = [:]

    /// - Throws: ``Mistake``.
    public init(_ expression: String) throws(Mistake) {
        self.expression = expression
        programs[.ethernet] = try Self.compile(expression, .ethernet)
    }

    deinit {
        for case let program? in programs.values {
            pcap_freecode(program)
            program.deallocate()
        }
    }

    /// Whether a packet passes; none of a link type does for which the expression makes no sense.
    func matches(_ packet: CapturedPacket, _ bytes: RawSpan) -> Bool {
        if programs[packet.linkType] == nil {
            programs.updateValue(try? Self.compile(expression, packet.linkType), forKey: packet.linkType)
        }
        guard let found = programs[packet.linkType], let program = found else { return false }
        var header = pcap_pkthdr()
        header.caplen = UInt32(bytes.byteCount)
        header.len = UInt32(clamping: packet.originalCount)
        return bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return false }
            return pcap_offline_filter(program, &header, base.assumingMemoryBound(to: UInt8.self)) != 0
        }
    }

    private static func compile(
        _ expression: String, _ linkType: LinkType
    ) throws(Mistake) -> UnsafeMutablePointer<bpf_program> {
        // Raw IP's number in files differs from libpcap's own.
        let number = linkType == .raw ? DLT_RAW : Int32(linkType.rawValue)
        guard let handle = pcap_open_dead(number, 262_144) else { throw Mistake(reason: "out of memory") }
        defer { pcap_close(handle) }
        let program = UnsafeMutablePointer<bpf_program>.allocate(capacity: 1)
        program.initialize(to: bpf_program())
        // The netmask of an interface, which files do not have, matters for "ip broadcast" only.
        guard pcap_compile(handle, program, expression, 1, UInt32.max) == 0 else {
            program.deallocate()
            throw Mistake(reason: pcap_geterr(handle).map { String(cString: $0) } ?? "unknown")
        }
        return program
    }
}
