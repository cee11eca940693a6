import CPcap
import Glibc
import Timebase
import Wire

/// A capture file being written: classic pcap with nanoseconds, Ethernet II, whole packets.
///
/// After the first failure (a full disk) nothing more is written, and every call throws that failure again.
public final class CaptureWriter {
    /// The file being written.
    public let path: String
    /// Packets written so far, the announcement included.
    private(set) var packetCount: Int64 = 0

    /// libpcap's handle of a file that no interface stands behind; nil for one that does.
    private let capture: OpaquePointer?
    /// Nil once closed.
    private var dumper: OpaquePointer?
    private let file: UnsafeMutablePointer<FILE>
    private let fileBuffer: UnsafeMutableRawBufferPointer
    private let frame: UnsafeMutableRawBufferPointer
    private var failure: SystemError?
    private let isPipe: Bool

    /// libpcap's default of a few kilobytes makes writing more than twice as slow (measured).
    private static let fileBufferCount = 256 * 1_024
    /// The bound that readers use for "whole packets".
    static let snapshotLength: Int32 = 262_144

    /// Creates the file, or empties it when it exists, and writes its header.
    ///
    /// - Throws: ``SystemError``.
    public convenience init(path: String) throws(SystemError) {
        let capture = pcap_open_dead_with_tstamp_precision(
            DLT_EN10MB, Self.snapshotLength, UInt32(PCAP_TSTAMP_PRECISION_NANO))
        guard let capture else { throw SystemError(operation: "create", path: path, code: ENOMEM) }
        do throws(SystemError) {
            try self.init(path: path, owning: capture) { pcap_dump_fopen(capture, $0) }
        } catch {
            pcap_close(capture)
            throw error
        }
    }

    /// - Parameters:
    ///   - path: "-" is standard output.
    ///   - capture: closed with the writer, once there is one.
    ///   - open: writes the file's header.
    init(
        path: String, owning capture: OpaquePointer? = nil,
        open: (UnsafeMutablePointer<FILE>) -> OpaquePointer?
    ) throws(SystemError) {
        guard let file = path == "-" ? fdopen(dup(STDOUT_FILENO), "wb") : fopen(path, "wbe") else {
            throw SystemError(operation: "create", path: path, code: errno)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.fileBufferCount, alignment: 64)
        setvbuf(file, buffer.baseAddress, _IOFBF, buffer.count)
        guard let dumper = open(file) else {
            let code = errno
            fclose(file)
            buffer.deallocate()
            throw SystemError(operation: "write", path: path, code: code)
        }
        self.path = path == "-" ? "standard output" : path
        isPipe = path == "-"
        self.file = file
        self.capture = capture
        self.dumper = dumper
        fileBuffer = buffer
        frame = .allocate(byteCount: UDPFrame.headerLength + UDPFrame.maximumPayloadCount, alignment: 64)
    }

    deinit {
        if let dumper { pcap_dump_close(dumper) }
        if let capture { pcap_close(capture) }
        fileBuffer.deallocate()
        frame.deallocate()
    }

    /// Announces the session, so that readers know the payload types of all that follows: SAP from the origin's
    /// address, with a time to live of 255 as RFC 2974 §3 wants it.
    ///
    /// One packet, unless the session has more streams than a datagram can describe: then as many as it takes.
    ///
    /// - Parameter instant: not after the first packet's.
    /// - Throws: ``SystemError``; with `EMSGSIZE` when one stream alone is too much for a datagram.
    public func writeSessionAnnouncement(
        _ description: SessionDescription, at instant: Instant = .zero
    ) throws(SystemError) {
        let bytes = SessionAnnouncement(description).bytes
        if bytes.count > UDPFrame.maximumPayloadCount {
            let half = description.media.count / 2
            guard half > 0 else { throw fail(EMSGSIZE) }
            var part = description
            part.media = Array(description.media[..<half])
            try writeSessionAnnouncement(part, at: instant)
            part.media = Array(description.media[half...])
            return try writeSessionAnnouncement(part, at: instant)
        }
        let destination = SessionAnnouncement.destination
        let source = Endpoint(address: description.origin.address, port: destination.port)
        var header = UDPFrame(source: source, destination: destination)
        header.timeToLive = 255
        var failure: SystemError?
        bytes.withUnsafeBytes { payload in
            do throws(SystemError) { try write(header, payload: payload, at: instant) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes one UDP datagram.
    ///
    /// - Parameters:
    ///   - header: addresses, DSCP and identification.
    ///   - payload: at most 65,507 bytes.
    ///   - originalSum: of a payload that was changed on the way, see ``UDPFrame/write(to:payload:originalSum:)``.
    ///   - instant: true time; in the file, emulated time zero is 2020-01-01T00:00:00Z.
    /// - Throws: ``SystemError``.
    public func write(
        _ header: UDPFrame, payload: UnsafeRawBufferPointer, originalSum: UInt16? = nil, at instant: Instant
    ) throws(SystemError) {
        if let failure { throw failure }
        guard let bytes = frame.bindMemory(to: UInt8.self).baseAddress else {
            throw SystemError(operation: "write", path: path, code: EBADF)
        }
        let length = UInt32(header.write(to: frame, payload: payload, originalSum: originalSum))
        // With nanosecond precision libpcap takes tv_usec as nanoseconds. Before time zero they still count upward.
        let (quotient, remainder) = instant.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let borrow: Int64 = remainder < 0 ? 1 : 0
        let time = timeval(
            tv_sec: Int(emulatedEpochUnixSeconds + quotient - borrow), tv_usec: Int(remainder + borrow * 1_000_000_000))
        var record = pcap_pkthdr(ts: time, caplen: length, len: length)
        try write(&record, bytes)
    }

    /// Writes a packet with its link header, as the file's link type and resolution want it.
    func write(_ record: UnsafePointer<pcap_pkthdr>, _ bytes: UnsafePointer<UInt8>) throws(SystemError) {
        if let failure { throw failure }
        guard let dumper else { throw SystemError(operation: "write", path: path, code: EBADF) }
        pcap_dump(UnsafeMutableRawPointer(dumper).assumingMemoryBound(to: UInt8.self), record, bytes)
        // pcap_dump returns nothing; the stream remembers, and errno is still that of the write that failed.
        if ferror(file) != 0 { throw fail(errno) }
        packetCount += 1
    }

    /// Hands on what was written, where somebody may be waiting for it.
    func flushIfPipe() throws(SystemError) {
        if isPipe, let dumper, pcap_dump_flush(dumper) != 0 { throw fail(errno) }
    }

    /// Writes what is left and closes the file; doing it twice is harmless.
    ///
    /// - Throws: the first ``SystemError`` met since the file was created.
    public func close() throws(SystemError) {
        guard let dumper else {
            if let failure { throw failure }
            return
        }
        if pcap_dump_flush(dumper) != 0, failure == nil { _ = fail(errno) }
        // pcap_dump_close tells nothing of what close(2) says, where network file systems report a full disk. They say
        // it to whichever descriptor of the file is closed first.
        let descriptor = dup(fileno(file))
        if descriptor >= 0, Glibc.close(descriptor) != 0, errno != EINTR, failure == nil { _ = fail(errno) }
        pcap_dump_close(dumper)
        self.dumper = nil
        if let failure { throw failure }
    }

    private func fail(_ code: Int32) -> SystemError {
        let error = failure ?? SystemError(operation: "write", path: path, code: code)
        failure = error
        return error
    }
}
