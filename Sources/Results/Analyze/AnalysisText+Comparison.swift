import Analysis
import Metrics
import Timebase
import Wire

// What is set beside something else: the truth, the other end, a receiver.

extension AnalysisText {
    /// The emulator's own captures: what was measured and what is true.
    var truth: [String] {
        var table = TextTable(header: ["", "", "measured", "true", "difference"], alignments: [.left, .left])
        for stream in analysis.streams {
            guard let truth = truths[stream.id] else { continue }
            for row in truth.rows(stream) where row.measured != nil || row.truth != nil {
                let difference = row.measured.flatMap { measured in row.truth.map { measured - $0 } }
                table.add([
                    TextTable.Cell(stream.id, .bold), TextTable.Cell(row.name), value(row.measured, row.isTime),
                    value(row.truth, row.isTime), self.difference(difference, row.isTime),
                ])
            }
        }
        return section(
            "Beside the truth (losses before a stream's first and after its last packet leave no trace)", table)
    }

    private func value(_ value: Int64?, _ isTime: Bool) -> TextTable.Cell {
        isTime ? time(value) : TextTable.Cell(Format.count(value), value == nil ? .dim : nil)
    }

    private func difference(_ value: Int64?, _ isTime: Bool) -> TextTable.Cell {
        guard let value, value != 0 else { return TextTable.Cell(value == nil ? "" : "=", .dim) }
        let text = isTime ? Format.time(value, signed: true) : (value > 0 ? "+" : "") + value.description
        return TextTable.Cell(text, .yellow)
    }

    /// Between two captures of one flow.
    var oneWay: [String] {
        var table = TextTable(
            header: [
                "", "sent", "lost", "at the ends", "reord", "dup", "delay min", "mean", "p50", "p99", "max", "drift",
            ])
        for way in analysis.oneWay {
            table.add([
                TextTable.Cell(name(way), .bold), TextTable.Cell(Format.count(way.sent)), bad(way.lost),
                bad(way.lostAtEnds), bad(way.reordered), bad(way.duplicates), time(way.delay?.minimum),
                time(way.delay?.mean), time(way.delay?.quantile(0.5)), time(way.delay?.quantile(0.99)),
                time(way.delay?.maximum),
                TextTable.Cell(Format.frequency(way.clockDriftPartsPerMillion.map { Int64(($0 * 1000).rounded()) })),
            ])
        }
        let isRemoved = analysis.oneWay.contains { $0.clockOffset != nil }
        return section(
            "One way, sender to receiver (delay: \(isRemoved ? "above the least, the clocks removed" : "by the captures' clocks"))",
            table)
    }

    func name(_ way: OneWayMeasurements) -> String { way.stream ?? "\(way.source)>\(way.destination)" }

    /// Two paths of one stream.
    var legs: [String] {
        var table = TextTable(
            header: [
                "legs", "expected", "first lost", "second lost", "both lost", "longest", "skew min", "p50", "max",
                "wait p50", "max",
            ], alignments: [.left])
        for pair in analysis.legs {
            table.add([
                TextTable.Cell(name(pair), .bold), TextTable.Cell(Format.count(pair.expected)),
                bad(pair.legs.first?.lost), bad(pair.legs.last?.lost), bad(pair.lost),
                bad(pair.lossRuns.last?.length ?? 0),
                time(pair.skew?.minimum, signed: true), time(pair.skew?.quantile(0.5), signed: true),
                time(pair.skew?.maximum, signed: true), time(pair.wait?.quantile(0.5)), time(pair.wait?.maximum),
            ])
        }
        return section(
            "Two paths of one stream (SMPTE ST 2022-7; skew: the second behind the first; wait: for what one alone brought)",
            table)
    }

    /// What a merging receiver loses by how long it waits.
    var holds: [String] {
        var table = TextTable(header: ["legs", "hold", "saved", "too late", "lost"], alignments: [.left])
        for pair in analysis.legs {
            for hold in pair.holds {
                table.add([
                    TextTable.Cell(name(pair), .bold), time(hold.hold.nanoseconds),
                    TextTable.Cell(Format.count(hold.saved)), bad(hold.late), bad(hold.lost),
                ])
            }
        }
        return section("What a hold would have saved", table)
    }

    func name(_ pair: LegMeasurements) -> String { pair.legs.map(\.stream).joined(separator: "+") }

    /// What an assumed receiver would have made of the streams.
    var playout: [String] {
        var table = TextTable(
            header: [
                "", "playout", "played", "late", "of", "underruns", "overflows", "waited p50", "max", "buffer max",
            ],
            alignments: [.left, .left])
        for stream in analysis.streams {
            guard let playout = stream.playout else { continue }
            let all = playout.played + playout.late
            let share = all == 0 ? nil : Double(playout.late) / Double(all)
            table.add([
                TextTable.Cell(stream.id, .bold), TextTable.Cell(playout.algorithm),
                TextTable.Cell(Format.count(playout.played)), bad(playout.late),
                TextTable.Cell(playout.late == 0 ? "" : Format.share(share)), bad(playout.underruns),
                bad(playout.overflows), time(playout.delay?.quantile(0.5)), time(playout.delay?.maximum),
                time(playout.buffer?.maximum),
            ])
        }
        return section("What a receiver would have seen", table)
    }
}
