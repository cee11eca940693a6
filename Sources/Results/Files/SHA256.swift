import CCrypto

/// SHA-256 (FIPS 180-4) over bytes that come in pieces, by OpenSSL's libcrypto.
struct SHA256: ~Copyable {
    private let context: OpaquePointer
    private var isSound: Bool

    /// Nil when libcrypto cannot provide the algorithm.
    init?() {
        guard let context = EVP_MD_CTX_new() else { return nil }
        self.context = context
        isSound = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    }

    deinit { EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        isSound = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 && isSound
    }

    /// 64 hexadecimal digits; nil when libcrypto failed on the way. Nothing may be added afterwards.
    consuming func finish() -> String? {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        guard isSound, EVP_DigestFinal_ex(context, &digest, &length) == 1, length == 32 else { return nil }
        return hexadecimal(digest)
    }

    /// Of bytes that are all there.
    static func hexadecimalDigest(of bytes: [UInt8]) -> String? {
        guard var digest = SHA256() else { return nil }
        bytes.withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// One file of a run directory as run.json lists it.
public struct Artifact: Equatable, Sendable {
    /// Relative to the run directory.
    var path: String
    var bytes: Int64
    /// 64 hexadecimal digits.
    public var sha256: String

    public init(path: String, bytes: Int64, sha256: String) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
    }

    /// Reads the file to the end.
    ///
    /// - Throws: ``SystemError``, or ``UserFacingError`` when libcrypto has no SHA-256.
    public init(path: String, in directory: String) throws {
        guard var digest = SHA256() else { throw Artifact.noDigest }
        var bytes: Int64 = 0
        try FileTree.read(directory + "/" + path) {
            digest.update($0)
            bytes += Int64($0.count)
        }
        guard let sha256 = digest.finish() else { throw Artifact.noDigest }
        self.init(path: path, bytes: bytes, sha256: sha256)
    }

    private static let noDigest = UserFacingError(
        "libcrypto does not provide SHA-256", remedy: "install OpenSSL 1.1 or later (Debian: libssl3)")
}
