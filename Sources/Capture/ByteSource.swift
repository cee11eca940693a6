import CZlib
import Glibc

/// The bytes of a file or a pipe in order, through a buffer of fixed size. What begins like gzip is unpacked.
final class ByteSource {
    let path: String
    /// Whether the bytes end where a compressed file was cut or damaged.
    private(set) var isDamaged = false

    private let descriptor: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    private var inflater: Inflater?

    /// The most bytes that can lie in the buffer at once.
    static let capacity = 1 << 20

    /// Opens a file; "-" is standard input. Its first four bytes lie in the buffer, if it has so many.
    ///
    /// - Throws: ``SystemError``.
    init(path: String) throws(SystemError) {
        self.path = path == "-" ? "standard input" : path
        if path == "-" {
            descriptor = STDIN_FILENO
        } else {
            var opened: Int32
            repeat { opened = open(path, O_RDONLY | O_CLOEXEC) } while opened < 0 && errno == EINTR
            guard opened >= 0 else { throw SystemError(operation: "read", path: path, code: errno) }
            descriptor = opened
        }
        buffer = .allocate(byteCount: Self.capacity, alignment: 64)
        guard try fill(4), buffer[start] == 0x1f, buffer[start + 1] == 0x8b else { return }
        guard let inflater = Inflater(first: UnsafeRawBufferPointer(rebasing: buffer[start..<end])) else {
            throw SystemError(operation: "unpack", path: path, code: ENOMEM)
        }
        self.inflater = inflater
        (start, end, isAtEnd) = (0, 0, false)
        _ = try fill(4)
    }

    deinit {
        if descriptor != STDIN_FILENO { _ = close(descriptor) }
        buffer.deallocate()
    }

    /// The bytes that lie in the buffer.
    var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

    /// Reads until `count` bytes lie in the buffer; false when the file ends before.
    ///
    /// - Parameter count: at most ``capacity``.
    func fill(_ count: Int) throws(SystemError) -> Bool {
        if end - start >= count { return true }
        guard count <= Self.capacity else { return false }
        if start > 0 {
            buffer.copyMemory(from: available)
            (start, end) = (0, end - start)
        }
        while end < count, !isAtEnd {
            let space = UnsafeMutableRawBufferPointer(rebasing: buffer[end...])
            let got: Int
            if let inflater { got = try inflate(inflater, into: space) } else { got = try read(into: space) }
            if got == 0 { isAtEnd = true }
            end += got
        }
        return end >= count
    }

    /// Forgets `count` bytes that lie in the buffer.
    func consume(_ count: Int) { start += min(count, end - start) }

    /// Passes over `count` bytes, more than fit in the buffer, too; false when the file ends before.
    func skip(_ count: UInt64) throws(SystemError) -> Bool {
        var rest = count
        while rest > 0 {
            if start == end, try !fill(1) { return false }
            let step = Int(min(rest, UInt64(end - start)))
            consume(step)
            rest -= UInt64(step)
        }
        return true
    }

    private func read(into space: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let got = Glibc.read(descriptor, space.baseAddress, space.count)
            if got >= 0 { return got }
            if errno != EINTR { throw SystemError(operation: "read", path: path, code: errno) }
        }
    }

    private func inflate(_ inflater: Inflater, into space: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        while true {
            if inflater.needsInput {
                let got = try read(into: inflater.input)
                if got == 0 {
                    isDamaged = isDamaged || !inflater.isBetweenMembers
                    return 0
                }
                inflater.take(got)
            }
            guard let made = inflater.inflate(into: space) else {
                isDamaged = true
                return 0
            }
            if made > 0 { return made }
        }
    }
}

/// zlib's inflate over a gzip file of any number of members.
private final class Inflater {
    let input: UnsafeMutableRawBufferPointer
    /// Whether a member has ended and none begun.
    private(set) var isBetweenMembers = false
    private let stream: UnsafeMutablePointer<z_stream>
    private var hasFailed = false

    /// - Parameter first: the file's first bytes, already read; they are copied.
    init?(first: UnsafeRawBufferPointer) {
        input = .allocate(byteCount: max(first.count, 1 << 16), alignment: 64)
        input.copyMemory(from: first)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16: gzip only; 15: the largest window.
        guard inflateInit2_(stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        take(first.count)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    var needsInput: Bool { stream.pointee.avail_in == 0 }

    /// Says that `count` bytes now lie in `input`.
    func take(_ count: Int) {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
    }

    /// Unpacks as much as fits; nil when the data are damaged.
    func inflate(into space: UnsafeMutableRawBufferPointer) -> Int? {
        if hasFailed { return nil }
        stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(space.count)
        isBetweenMembers = false
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        let made = space.count - Int(stream.pointee.avail_out)
        if status == Z_STREAM_END {
            isBetweenMembers = true
            if inflateReset(stream) != Z_OK { hasFailed = true }
        } else if status != Z_OK, status != Z_BUF_ERROR {
            hasFailed = true
        }
        return made == 0 && hasFailed ? nil : made
    }
}
