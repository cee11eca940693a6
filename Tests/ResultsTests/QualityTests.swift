import Emulator
@testable import Results
import TestSupport
import Testing
import Timebase

@Suite("Quality of pictures")
struct QualityTests {
    /// Three pictures as ffmpeg 5.1 writes them: the same, a little off, and one of which only SSIM is there.
    private static let text = """
        frame:0    pts:129600  pts_time:1.44
        lavfi.ssim.Y=1.00
        lavfi.ssim.All=1.000000
        lavfi.psnr.mse_avg=0.00
        lavfi.psnr.psnr_avg=inf
        frame:1    pts:133200  pts_time:1.48
        lavfi.ssim.All=0.970000
        lavfi.psnr.mse_avg=65.025
        lavfi.psnr.psnr_avg=30.00
        frame:2    pts:-8589798192  pts_time:-95442.2
        lavfi.ssim.All=0.990000
        lavfi.psnr.mse_avg=6.5025
        lavfi.psnr.psnr_avg=40.00
        frame:3    pts:140400  pts_time:1.56
        lavfi.ssim.All=0.990000

        """

    private static func picture(_ pts: Int64, shown: Bool = true) -> QualityMedia.Picture {
        QualityMedia.Picture(
            number: pts, pts: pts, captured: .nanoseconds(pts), outcome: "on_time", decodable: "intact",
            shown: shown ? Instant(nanoseconds: pts) : nil)
    }

    @Test("What ffmpeg prints is read by PTS modulo 2^33, and only whole")
    func scores() {
        let scores = PictureScores(parsing: Array(Self.text.utf8))
        #expect(scores[129_600] == .init(ssim: 1, psnr: .infinity, meanSquaredError: 0))
        #expect(scores[133_200] == .init(ssim: 0.97, psnr: 30, meanSquaredError: 65.025))
        #expect(scores[136_400]?.psnr == 40)
        #expect(scores[136_400 + 1 << 33]?.ssim == 0.99)
        #expect(scores[140_400] == nil)
        #expect(PictureScores(parsing: Array("lavfi.ssim.All=1\nframe:x\nnonsense".utf8))[0] == nil)
    }

    @Test("The mean PSNR is that of the mean squared error: 0, 65.025 and 6.5025 of 255 make 34.35 dB")
    func mean() throws {
        let scores = PictureScores(parsing: Array(Self.text.utf8))
        let pictures = [
            Self.picture(129_600), Self.picture(133_200), Self.picture(136_400, shown: false), Self.picture(7),
        ]
        let summary = PictureQuality(receiver: "tv", substream: "video", pictures, scores)
        // 10 log10(255^2 / ((65.025 + 6.5025) / 3)).
        #expect(abs(try #require(summary.meanPSNR) - 34.35728) < 0.0001)
        #expect(summary.worstPSNR == 30)
        let mean: Double = 2.96 / 3
        #expect(abs(try #require(summary.meanSSIM) - mean) < 1e-12)
        #expect(summary.worstSSIM == 0.97)
        #expect([summary.pictures, summary.shown, summary.compared] == [4, 3, 3])
        // One that looks wrong, and one in whose place there was nothing.
        #expect(summary.below == 2)
    }

    @Test("Pictures that are all the same have no PSNR, and none compared has nothing")
    func same() {
        let scores = PictureScores(parsing: Array(Self.text.utf8))
        let same = PictureQuality(receiver: "tv", substream: "video", [Self.picture(129_600)], scores)
        #expect(same.meanPSNR == nil && same.worstPSNR == nil && same.meanSSIM == 1 && same.below == 0)
        let none = PictureQuality(receiver: "tv", substream: "video", [Self.picture(5)], PictureScores())
        #expect(none.meanSSIM == nil && none.compared == 0 && none.below == 1)
    }

    @Test("A comparison shows what was found in the same run, and not what was found in another")
    func compare() throws {
        let scratch = try ScratchDirectory()
        for name in ["a", "b"] {
            let run = scratch.path + "/" + name
            try FileTree.createDirectories(run)
            let file = try OutputFile(path: run + "/run.json")
            Fixture.record().write(to: file)
            try file.close()
        }
        let digest = try SavedRun(reading: scratch.path + "/a").fact("digest").string ?? ""
        func quality(_ digest: String, _ ssim: Double) -> String {
            """
            { "schema": "rubato.quality/1", "run": { "digest": "\(digest)" },
              "quality": [ { "receiver": "tv", "substream": "video", "ssim": { "mean": \(ssim) } } ] }
            """
        }
        try scratch.write("a/quality.json", quality(digest, 0.9))
        try scratch.write("b/quality.json", quality(digest, 0.5))
        func rows() throws -> [JSONValue] {
            let runs = try ["a", "b"].map { try SavedRun(reading: scratch.path + "/" + $0) }
            return try RunComparison(of: runs, on: [], allowance: nil).rows
                .first { $0.label.contains("quality") && $0.label.contains("ssim") }?.values ?? []
        }
        #expect(try rows() == [.number(0.9), .number(0.5)])
        #expect(try SavedRun(reading: scratch.path + "/a").document["quality"] == [])
        try scratch.write("b/quality.json", quality("0", 0.5))
        #expect(try rows() == [.number(0.9), .null])
        try scratch.write("b/quality.json", "{")
        #expect(throws: UserFacingError.self) { try rows() }
    }
}
