import CPcap
import Glibc
import Timebase
import Wire

/// Packets of a network interface as they come by, written to a capture file by libpcap.
public final class LiveCapture {
    /// Why an interface cannot be captured from.
    public enum Refusal: Error, Hashable, Sendable {
        /// The process may not open raw sockets.
        case notPermitted
        /// There is no interface of the name; those that there are.
        case noSuchInterface(known: [String])
        /// libpcap's words about a filter expression.
        case badFilter(String)
        /// Anything else, in libpcap's words.
        case other(String)
    }

    /// How much came by.
    public struct Counts: Equatable, Sendable {
        /// Packets written, and their bytes on the wire.
        public var packets: Int64 = 0
        /// Bytes of the packets written, as they were on the wire.
        public var bytes: Int64 = 0
        /// Packets that passed the filter but that the kernel had no room for. What else it counts is not the same on
        /// all systems.
        public var droppedByKernel: Int64 = 0
        /// Packets that the interface or its driver lost; nil where nobody counts them.
        public var droppedByInterface: Int64?
    }

    /// What to capture.
    public struct Request: Sendable {
        /// "lo", "eth0", or "any" for all of them.
        var interface: String
        /// As tcpdump takes it; nil for every packet.
        var filter: String?
        /// What the kernel may keep for us.
        public var bufferBytes: Int32 = 32 << 20

        public init(interface: String, filter: String? = nil) {
            self.interface = interface
            self.filter = filter
        }
    }

    /// What the interface's packets begin with.
    public let linkType: LinkType
    private let handle: OpaquePointer
    private let descriptor: Int32
    private var counts = Counts()

    /// How long the kernel may gather packets before it hands them over.
    private static let gathering = TimeSpan.milliseconds(50)

    /// Opens an interface; from now on the kernel keeps what passes the filter.
    ///
    /// - Throws: ``Refusal``.
    public init(_ request: Request) throws(Refusal) {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = pcap_create(request.interface, &message) else { throw .other(Self.text(message)) }
        do throws(Refusal) {
            try Self.activate(handle, request)
            if let filter = request.filter { try Self.setFilter(handle, filter) }
            guard pcap_setnonblock(handle, 1, &message) == 0 else { throw .other(Self.text(message)) }
            let descriptor = pcap_get_selectable_fd(handle)
            guard descriptor >= 0 else { throw .other("\(request.interface) cannot be waited for") }
            self.descriptor = descriptor
        } catch {
            pcap_close(handle)
            throw error
        }
        self.handle = handle
        // Raw IP's number in files differs from libpcap's own.
        let number = pcap_datalink(handle)
        linkType = number == DLT_RAW ? .raw : LinkType(rawValue: UInt16(truncatingIfNeeded: number))
    }

    deinit { pcap_close(handle) }

    private static func activate(_ handle: OpaquePointer, _ request: Request) throws(Refusal) {
        pcap_set_snaplen(handle, CaptureWriter.snapshotLength)
        pcap_set_timeout(handle, Int32(gathering.nanoseconds / 1_000_000))
        pcap_set_buffer_size(handle, request.bufferBytes)
        // Where an interface cannot, its packets have microseconds, and so has the file.
        pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
        let status = pcap_activate(handle)
        guard status < 0 else { return }
        let words = pcap_geterr(handle).map { String(cString: $0) } ?? ""
        switch status {
        case PCAP_ERROR_PERM_DENIED: throw .notPermitted
        case PCAP_ERROR_NO_SUCH_DEVICE: throw .noSuchInterface(known: interfaces())
        default:
            let general = String(cString: pcap_statustostr(status))
            throw .other(words.isEmpty ? general : words)
        }
    }

    private static func setFilter(_ handle: OpaquePointer, _ expression: String) throws(Refusal) {
        var program = bpf_program()
        guard pcap_compile(handle, &program, expression, 1, UInt32.max) == 0 else {
            throw .badFilter(pcap_geterr(handle).map { String(cString: $0) } ?? "unknown")
        }
        defer { pcap_freecode(&program) }
        guard pcap_setfilter(handle, &program) == 0 else {
            throw .other(pcap_geterr(handle).map { String(cString: $0) } ?? "the filter cannot be set")
        }
    }

    /// The names of the interfaces that can be captured from.
    static func interfaces() -> [String] {
        var list: UnsafeMutablePointer<pcap_if_t>?
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard pcap_findalldevs(&list, &message) == 0 else { return [] }
        defer { pcap_freealldevs(list) }
        var names: [String] = []
        var next = list
        while let interface = next {
            names.append(String(cString: interface.pointee.name))
            next = interface.pointee.next
        }
        return names
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

// MARK: - Capturing

extension LiveCapture {
    /// A writer whose file has this interface's link type and resolution.
    ///
    /// - Parameter path: "-" is standard output.
    /// - Throws: ``SystemError``.
    public func writer(path: String) throws(SystemError) -> CaptureWriter {
        try CaptureWriter(path: path) { pcap_dump_fopen(self.handle, $0) }
    }

    /// Writes packets until the end.
    ///
    /// - Parameters:
    ///   - end: packets captured later by the system's clock are left out; nil for none.
    ///   - limit: how many packets at most; nil for all.
    ///   - shouldStop: asked about every tenth of a second, and after each batch of packets.
    /// - Throws: ``SystemError`` of the file, ``Refusal`` when the interface goes away.
    public func run(
        to writer: CaptureWriter, until end: Instant?, limit: Int64? = nil, shouldStop: (Counts) -> Bool
    ) throws {
        var end = end
        var sink = Sink(writer: writer, limit: limit ?? .max)
        while true {
            let now = Self.now
            if end == nil || now < end ?? now, shouldStop(counts) { end = now }
            // What was captured by the end may still be gathered by the kernel.
            if let end, now >= end + Self.gathering + Self.gathering { break }
            try wait()
            sink.end = end
            try drain(&sink)
            counts.packets = sink.packets
            counts.bytes = sink.bytes
            if sink.packets >= sink.limit { break }
        }
    }

    /// Counts so far.
    public var statistics: Counts {
        var result = counts
        var statistics = pcap_stat()
        if pcap_stats(handle, &statistics) == 0 {
            result.droppedByKernel = Int64(statistics.ps_drop)
            result.droppedByInterface = Int64(statistics.ps_ifdrop)
        }
        return result
    }

    /// What libpcap's callback needs.
    private struct Sink {
        let writer: CaptureWriter
        let limit: Int64
        var end: Instant?
        var packets: Int64 = 0
        var bytes: Int64 = 0
        var failure: SystemError?
        var isNanoseconds = false

        mutating func take(_ header: UnsafePointer<pcap_pkthdr>, _ bytes: UnsafePointer<UInt8>) {
            guard failure == nil, packets < limit else { return }
            let fraction = Int64(header.pointee.ts.tv_usec) * (isNanoseconds ? 1 : 1000)
            let instant = Instant(nanoseconds: Int64(header.pointee.ts.tv_sec) * 1_000_000_000 + fraction)
            if let end, instant > end { return }
            do throws(SystemError) {
                try writer.write(header, bytes)
                packets += 1
                self.bytes += Int64(header.pointee.len)
            } catch { failure = error }
        }
    }

    private func wait() throws(SystemError) {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 100) < 0, errno != EINTR else { return }
        throw SystemError(operation: "wait for", path: "packets", code: errno)
    }

    private func drain(_ sink: inout Sink) throws {
        sink.isNanoseconds = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO
        let status = withUnsafeMutablePointer(to: &sink) { pointer in
            pcap_dispatch(
                handle, -1,
                { context, header, bytes in
                    guard let context, let header, let bytes else { return }
                    UnsafeMutableRawPointer(context).assumingMemoryBound(to: Sink.self).pointee.take(header, bytes)
                }, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt8.self))
        }
        if let failure = sink.failure { throw failure }
        if status < 0 { throw Refusal.other(pcap_geterr(handle).map { String(cString: $0) } ?? "cannot read packets") }
        try sink.writer.flushIfPipe()
    }

    private static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The system's clock, which dates packets too: nanoseconds since 1970.
    public static var clock: Instant { now }
}
