import Timebase

extension ExperimentScenario {
    /// The scenario with every default written out, keys in the contract's order: read back, it is an equal value.
    ///
    /// Files stand with their absolute paths, so that the record of a run can be run again from anywhere.
    public var resolvedYAML: String {
        var lines = [
            "name: \(quoted(name))",
            "duration: \(duration.map { Quantity.text($0) } ?? "auto")",
            "seed: \(seed)",
        ]
        lines += ["program:"] + indented(program.lines)
        lines += ["sender:"] + indented(sender.lines)
        lines += ["network:", "  forward:"] + indented(list(forward.map(\.lines)), 4)
        lines += ["  reverse:"] + indented(list(reverse.map(\.lines)), 4)
        lines += ["clocks:", "  sender: \(senderClock.text)", "  receivers: \(receiverClock.text)"]
        lines += ["  synchronization: none", "receivers:"] + indented(list(receivers.map(\.lines)))
        if !qos.checks.isEmpty {
            lines += ["qos:"] + qos.checks.map { "  \($0.name.rawValue): '\($0.text)'" }
        }
        lines += ["capture: { points: \(capture.text) }"]
        let media = [(outputs.sentMedia, "sent"), (outputs.receivedMedia, "received")].filter(\.0).map(\.1)
        lines += [
            "outputs:",
            "  media: \(media.isEmpty ? "none" : "[\(media.joined(separator: ", "))]")",
            "  series: \(outputs.series.map { Quantity.text($0) } ?? "none")",
            "  packets: \(outputs.packets)",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}

// MARK: - Parts

extension ExperimentScenario.Program {
    fileprivate var lines: [String] {
        switch self {
        case .file(let file):
            let digest = file.sha256.map { ["sha256: \(quoted($0))"] } ?? []
            return ["file: \(quoted(file.path))", "loop: \(file.loops)"] + digest
        case .substreams(let substreams):
            return ["substreams:"] + indented(list(substreams.map(\.lines)))
        }
    }
}

extension ExperimentScenario.Substream {
    fileprivate var lines: [String] {
        ["id: \(quoted(id))", "kind: \(kind.rawValue)"] + source.lines
    }
}

extension ExperimentScenario.Source {
    fileprivate var lines: [String] {
        switch self {
        case .h264(let h264):
            return ["synthetic:"]
                + indented([
                    "codec: h264", "frame_rate: \(Quantity.text(h264.frameRate))", "gop: \(h264.gop)",
                    "bitrate: \(Quantity.text(h264.bitRate))", "size_variation: \(Quantity.text(h264.sizeVariation))",
                ])
        case .mp2(let mp2):
            return ["synthetic:"]
                + indented([
                    "codec: mp2", "frame_duration: \(Quantity.text(mp2.frameDuration))",
                    "bitrate: \(Quantity.text(mp2.bitRate))",
                ])
        case .opaque(let opaque):
            let timing: String =
                switch opaque.timing {
                case .rate(let rate): "frame_rate: \(Quantity.text(rate))"
                case .period(let span): "frame_duration: \(Quantity.text(span))"
                }
            let volume: String =
                switch opaque.volume {
                case .bitRate(let rate): "bitrate: \(Quantity.text(rate))"
                case .unitSize(let size): "unit_size: \(Quantity.text(bytes: Int64(size)))"
                }
            return ["synthetic:"]
                + indented([
                    "codec: opaque", timing, volume,
                    "size_variation: \(Quantity.text(opaque.sizeVariation))",
                ])
        case .trace(let path): return ["trace: \(quoted(path))"]
        }
    }
}

extension ExperimentScenario.Sender {
    fileprivate var lines: [String] {
        let rate: String =
            switch muxRate {
            case .automatic: "auto"
            case .variable: "vbr"
            case .constant(let rate): Quantity.text(rate)
            }
        return [
            "carriage: \(carriage.rawValue)", "mux_rate: \(rate)",
            "ts_packets_per_datagram: \(transportPacketsPerDatagram)", "pacing: \(pacing.rawValue)",
            "latency: \(latency.map { Quantity.text($0) } ?? "auto")",
            "classes: { program: \(programClass.name), reports: \(reportClass.name) }", "ecn: \(ecn)",
            "reservation: \(reservation?.text ?? "none")",
            "interleave: \(interleave.map { "{ rows: \($0.rows), columns: \($0.columns) }" } ?? "none")",
        ]
    }
}

extension ExperimentScenario.Clock {
    fileprivate var text: String {
        "{ offset: \(Quantity.text(offset)), frequency: \(Quantity.text(partsPerBillion: frequency)) }"
    }
}

extension ExperimentScenario.Receiver {
    fileprivate var lines: [String] {
        let playout: String =
            switch self.playout {
            case .fixed(let delay): "{ fixed: \(Quantity.text(delay)) }"
            }
        var lines = [
            "id: \(quoted(id))", "playout: \(playout)", "anchor: \(anchor.rawValue)", "late: \(late.rawValue)",
            "clock_recovery: \(clockRecovery.rawValue)",
            "lip_sync: { correction: \(lipSync.correction.rawValue), profile: \(lipSync.profile.rawValue) }",
            "deliver_corrupted: \(deliversCorrupted)", "count: \(count)",
        ]
        lines += lastLinks.isEmpty ? ["last_links: []"] : ["last_links:"] + indented(list(lastLinks.map(\.lines)))
        return lines + ["clock: \(clock.text)"]
    }
}

extension ExperimentScenario.CapturePoints {
    fileprivate var text: String {
        if links { return "all" }
        let names = [(sender, "sender"), (receiver, "receiver")].filter(\.0).map(\.1)
        return names.isEmpty ? "none" : "[\(names.joined(separator: ", "))]"
    }
}

// MARK: - Text

private func indented(_ lines: [String], _ width: Int = 2) -> [String] {
    lines.map { String(repeating: " ", count: width) + $0 }
}

private func list(_ elements: [[String]]) -> [String] {
    elements.flatMap { lines in
        lines.enumerated().map { index, line in (index == 0 ? "- " : "  ") + line }
    }
}

/// A text as a YAML scalar that is read back as the same text.
func quoted(_ text: String) -> String {
    let isPlain =
        text != "null" && text.first.map { $0 == "/" || $0.isASCII && $0.isLetter } == true
        && text.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }
    if isPlain { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case " "..."~": result.unicodeScalars.append(scalar)
        default:
            // Escaped, so that neither line breaks nor what YAML forbids can stand in the text.
            let digits = String(scalar.value, radix: 16)
            result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
    }
    return result + "\""
}
