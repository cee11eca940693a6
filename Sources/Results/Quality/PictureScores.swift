import Glibc

/// What ffmpeg's filters `ssim` and `psnr` say of each picture, as `metadata=mode=print` writes it.
struct PictureScores: Sendable {
    /// Of one picture.
    struct Score: Sendable, Equatable {
        var ssim: Double
        /// dB; infinite of the same picture.
        var psnr: Double
        var meanSquaredError: Double
    }

    private var scores: [Int64: Score] = [:]

    /// No picture was compared.
    init() {}

    /// - Parameter text: lines "frame:0 pts:129600 …", each with "lavfi.ssim.All=0.99" and the like behind it.
    init(parsing text: [UInt8]) {
        var pts: Int64?
        var values: [Substring: Double] = [:]
        func keep(_ scores: inout [Int64: Score]) {
            guard let pts, let ssim = values["lavfi.ssim.All"], let psnr = values["lavfi.psnr.psnr_avg"],
                let error = values["lavfi.psnr.mse_avg"]
            else { return }
            scores[pts & Self.mask] = Score(ssim: ssim, psnr: psnr, meanSquaredError: error)
        }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("frame:") {
                keep(&scores)
                values.removeAll(keepingCapacity: true)
                pts = line.split(separator: " ").first { $0.hasPrefix("pts:") }.flatMap { Int64($0.dropFirst(4)) }
            } else if let equals = line.firstIndex(of: "=") {
                values[line[..<equals]] = Double(line[line.index(after: equals)...])
            }
        }
        keep(&scores)
    }

    /// Of the picture with a PTS, modulo 2^33; nil where nothing was on screen in its place.
    subscript(pts: Int64) -> Score? { scores[pts & Self.mask] }

    private static let mask: Int64 = 0x1_ffff_ffff

    /// Of the mean of all squared errors; nil without any.
    static func meanPSNR(_ scores: [Score]) -> Double? {
        // Whatever the largest sample value is, it is the same in all.
        guard let one = scores.first(where: { $0.meanSquaredError > 0 && $0.psnr.isFinite }) else { return nil }
        let mean = scores.reduce(0) { $0 + $1.meanSquaredError } / Double(scores.count)
        return one.psnr + 10 * log10(one.meanSquaredError / mean)
    }
}
