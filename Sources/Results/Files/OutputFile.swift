import Capture
import Glibc

/// A file being written through a buffer, which keeps its first error until it is closed.
///
/// Writers in the middle of a run have no use for an error at every row: after the first failure (a full disk) all
/// writes do nothing, and ``close()`` says what went wrong. ``failure`` can be polled to stop early.
public final class OutputFile {
    let path: String
    /// The first error met; nil while all is well.
    private(set) var failure: SystemError?
    /// Bytes accepted so far, those still in the buffer too.
    private(set) var byteCount: Int64 = 0

    private var descriptor: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0

    /// Creates the file, or empties it when it exists.
    ///
    /// - Throws: ``SystemError``.
    public init(path: String, bufferSize: Int = 256 * 1024) throws {
        var opened: Int32
        repeat {
            opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        } while opened < 0 && errno == EINTR
        guard opened >= 0 else { throw SystemError(operation: "create", path: path, code: errno) }
        self.path = path
        descriptor = opened
        buffer = .allocate(byteCount: max(bufferSize, 64), alignment: 16)
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        buffer.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil, descriptor >= 0, let source = bytes.baseAddress else { return }
        byteCount += Int64(bytes.count)
        if bytes.count > buffer.count - used { flush() }
        if bytes.count > buffer.count {
            writeOut(bytes)
        } else if let target = buffer.baseAddress {
            target.advanced(by: used).copyMemory(from: source, byteCount: bytes.count)
            used += bytes.count
        }
    }

    func write(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { write($0) }
    }

    func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    /// Writes a text in UTF-8.
    public func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    func write(byte: UInt8) {
        guard failure == nil, descriptor >= 0 else { return }
        if used == buffer.count { flush() }
        byteCount += 1
        buffer[used] = byte
        used += 1
    }

    /// Writes a number in decimal without allocating.
    func write(decimal value: Int64) {
        // 19 digits and a sign; filled from the right.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = 20
            var rest = value.magnitude
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 {
                first -= 1
                digits[first] = UInt8(ascii: "-")
            }
            write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[first..<20]))
        }
    }

    /// Writes over what was written first, of which all is known only now.
    func overwriteBeginning(_ bytes: [UInt8]) {
        flush()
        guard failure == nil, descriptor >= 0 else { return }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(written))
            }
            if count < 0 {
                if errno == EINTR { continue }
                failure = SystemError(operation: "write", path: path, code: errno)
                return
            }
            written += count
        }
    }

    /// Hands all that is buffered to the system.
    func flush() {
        let pending = UnsafeRawBufferPointer(rebasing: buffer[0..<used])
        used = 0
        writeOut(pending)
    }

    /// Writes what is left and closes the file; doing it twice is harmless.
    ///
    /// - Throws: the first ``SystemError`` met since the file was created.
    public func close() throws {
        guard descriptor >= 0 else { return }
        flush()
        // Network file systems tell of a full disk only here. EINTR leaves the descriptor closed on Linux.
        if Glibc.close(descriptor) != 0, errno != EINTR, failure == nil {
            failure = SystemError(operation: "write", path: path, code: errno)
        }
        descriptor = -1
        if let failure { throw failure }
    }

    private func writeOut(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil, !bytes.isEmpty else { return }
        if let code = writeAll(bytes, to: descriptor) {
            failure = SystemError(operation: "write", path: path, code: code)
        }
    }
}

/// Writes all bytes, however many calls it takes.
///
/// - Returns: `errno` of the call that failed, nil when all is written.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
    var rest = bytes
    while !rest.isEmpty {
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 {
            if errno == EINTR { continue }
            return errno
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return nil
}
