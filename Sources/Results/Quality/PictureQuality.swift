/// How much the pictures of one substream that a receiver showed are like those that were sent.
struct PictureQuality: Sendable {
    var receiver: String
    var substream: String
    /// Pictures sent.
    var pictures: Int64 = 0
    /// Those of them that were shown.
    var shown: Int64 = 0
    /// Pictures in whose place one was on screen: so many were compared.
    var compared: Int64 = 0
    /// SSIM over those, 0...1.
    var meanSSIM: Double?
    var worstSSIM: Double?
    /// dB: of the mean of the squared errors; nil where there is none.
    var meanPSNR: Double?
    var worstPSNR: Double?
    /// Pictures with an SSIM below ``limit``, or in whose place nothing was on screen.
    var below: Int64 = 0

    /// What is below it looks wrong.
    static let limit = 0.98
}

extension PictureQuality {
    /// Sums up pictures.
    init(receiver: String, substream: String, _ pictures: [QualityMedia.Picture], _ scores: PictureScores) {
        (self.receiver, self.substream) = (receiver, substream)
        self.pictures = Int64(pictures.count)
        shown = Int64(pictures.count { $0.shown != nil })
        let found = pictures.compactMap { scores[$0.pts] }
        compared = Int64(found.count)
        below = self.pictures - Int64(found.count { $0.ssim >= Self.limit })
        guard !found.isEmpty else { return }
        meanSSIM = found.reduce(0) { $0 + $1.ssim } / Double(found.count)
        worstSSIM = found.map(\.ssim).min()
        worstPSNR = found.map(\.psnr).filter(\.isFinite).min()
        meanPSNR = PictureScores.meanPSNR(found)
    }
}
