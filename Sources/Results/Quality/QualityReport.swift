import Timebase

/// What `rubato quality` finds: `quality.csv`, a row for each picture sent, and what they come to.
package struct QualityReport {
    private(set) var summaries: [PictureQuality] = []
    private var rows: [UInt8] = Array(
        "captured_ns,receiver,substream,unit,pts,presented,decodable,shown_ns,ssim,psnr_db\n".utf8)

    package init() {}

    /// Adds the pictures of a substream at a receiver.
    ///
    /// - Parameter scores: what ffmpeg wrote of them; nil where none was shown.
    package mutating func add(_ media: QualityMedia, receiver: Int, lane: Int, scores text: [UInt8]?) {
        let scores = text.map { PictureScores(parsing: $0) } ?? PictureScores()
        let pictures = media.pictures(receiver: receiver, lane: lane)
        let (receiverID, substreamID) = (media.receiverID(receiver), media.substreamID(lane))
        summaries.append(PictureQuality(receiver: receiverID, substream: substreamID, pictures, scores))
        let names = "\(csvField(receiverID)),\(csvField(substreamID))"
        for picture in pictures {
            let score = scores[picture.pts]
            let shown = picture.shown.map { "\($0.nanoseconds)" } ?? ""
            let values = score.map { "\($0.ssim),\($0.psnr)" } ?? ","
            rows += Array(
                ("\(picture.captured.nanoseconds),\(names),\(picture.number),\(picture.pts),\(picture.outcome),"
                    + "\(picture.decodable),\(shown),\(values)\n").utf8)
        }
    }

    /// Writes `quality.csv` and `quality.json` into the directory of a run.
    ///
    /// - Throws: ``SystemError``.
    package func write(into run: SavedRun) throws {
        let table = try OutputFile(path: run.path + "/quality.csv")
        table.write(rows)
        try table.close()
        let document = try OutputFile(path: run.path + "/" + SavedRun.qualityName)
        document.write(self.document(of: run).document())
        try document.close()
    }

    /// Schema `rubato.quality/1`.
    package func document(of run: SavedRun) -> JSONValue {
        [
            "schema": .string(SavedRun.qualitySchema),
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "run": ["path": .string(run.path), "id": run.fact("id"), "digest": run.fact("digest")],
            "quality": .array(summaries.map { Catalog.quality.members.document(of: $0) }),
        ]
    }

    /// For a person at a terminal.
    package func text(isColoured: Bool) -> String {
        let styled = StyledText(isColoured: isColoured)
        var table = TextTable(
            header: [
                "receiver", "substream", "pictures", "shown", "SSIM mean", "worst", "PSNR mean", "worst", "SSIM < 0.98",
            ], alignments: [.left, .left])
        for summary in summaries {
            func number(_ value: Double?, _ places: Int) -> TextTable.Cell {
                TextTable.Cell(value.map { Format.decimal($0, places: places) } ?? Format.notMeasured)
            }
            let share = summary.pictures > 0 ? Double(summary.below) / Double(summary.pictures) : nil
            table.add([
                TextTable.Cell(summary.receiver), TextTable.Cell(summary.substream),
                TextTable.Cell(Format.count(summary.pictures)), TextTable.Cell(Format.count(summary.shown)),
                number(summary.meanSSIM, 4), number(summary.worstSSIM, 4),
                decibels(summary, summary.meanPSNR), decibels(summary, summary.worstPSNR),
                TextTable.Cell(Format.share(share), summary.below > 0 ? .yellow : nil),
            ])
        }
        let lines =
            [styled("Pictures, against those that were sent", .bold)] + table.lines(styled) + [
                styled("  one that was not shown: what was on screen in its place; before the first, nothing", .dim)
            ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// "38.2 dB"; the same pictures have no error to speak of.
    private func decibels(_ summary: PictureQuality, _ value: Double?) -> TextTable.Cell {
        if let value { return TextTable.Cell(Format.decimal(value, places: 1) + " dB") }
        return TextTable.Cell(summary.compared > 0 ? "same" : Format.notMeasured)
    }
}
