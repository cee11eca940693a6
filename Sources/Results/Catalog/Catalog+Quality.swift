/// What `rubato quality` adds to a saved run.
extension Catalog {
    static let quality = CatalogList<PictureQuality>(
        "quality", "Pictures against those that were sent, once 'rubato quality' has compared them; empty before.",
        selectors: ["substream", "receiver"], labels: [["substream"], ["substream", "receiver"]],
        [
            .text("receiver", "The receiver's id.") { $0.receiver },
            .text("substream", "The substream's id.") { $0.substream },
            .count("pictures", "Pictures sent.") { $0.pictures },
            .count("shown", worse: .down, "Those of them that were shown.") { $0.shown },
            .count(
                "compared",
                "Pictures in whose place one was on screen: itself, or the last one shown; SSIM and PSNR are of these."
            ) { $0.compared },
            .group(
                "ssim", "Structural similarity of luma and chroma, as ffmpeg's filter ssim weighs them; 1: the same.",
                [
                    score("mean", "The mean over pictures.") { $0.meanSSIM },
                    score("min", "The worst picture's.") { $0.worstSSIM },
                ]),
            .group(
                "psnr_db", "Peak signal-to-noise ratio, dB; null of pictures that are all the same.",
                [
                    score("mean", "Of the mean of all squared errors.") { $0.meanPSNR },
                    score("min", "The worst picture's.") { $0.worstPSNR },
                ]),
            .ratio(
                "below_098", worse: .up, label: "SSIM < 0.98",
                "Share of the pictures sent with an SSIM below 0.98, or in whose place nothing was on screen."
            ) { $0.pictures > 0 ? Double($0.below) / Double($0.pictures) : nil },
        ])

    private static func score(
        _ name: String, _ definition: String, _ value: @escaping @Sendable (PictureQuality) -> Double?
    ) -> CatalogMember<PictureQuality> {
        .value(name, MetricKind(unit: .plain, worse: .down), definition) { JSONValue(value($0)) }
    }
}
