/// A file that media are in.
public enum CaptureFile {
    /// Packets with the times at which they passed.
    case capture(CaptureReader)
    /// A transport stream, which has its clock inside.
    case transportStream(TransportStreamReader)

    /// Opens a file; "-" is standard input.
    ///
    /// - Throws: ``SystemError``, ``NotACapture``.
    public init(path: String) throws {
        let source = try ByteSource(path: path)
        do throws(NotACapture) {
            self = .capture(try CaptureReader(source, path: path))
        } catch {
            guard let stream = try TransportStreamReader(source) else { throw error }
            self = .transportStream(stream)
        }
    }
}
