import Timebase

/// Makes a scenario of a tree whose shape has been checked. Every default is here or in its extensions.
struct ScenarioDecoder {
    let root: ScenarioReader
    let context: DecodingContext

    /// The limits keep every sum of times and every product with a rate within 63 bits.
    static let longestDuration = TimeSpan.seconds(1000 * 3600)
    static let longestDelay = TimeSpan.seconds(3600)
    static let shortest = TimeSpan.nanoseconds(1)
    static let usualDuration = TimeSpan.seconds(60)
    static let rates = BitRate(bitsPerSecond: 1_000)...BitRate(bitsPerSecond: 1_000_000_000_000)
    static let usualPlayout = TimeSpan.milliseconds(150)
    static let usualSeries = TimeSpan.milliseconds(100)
    /// One host's addresses: 10.0.1.1 upward.
    static let mostReceivers = 10_000

    init(root: ScenarioNode, context: DecodingContext) {
        self.root = ScenarioReader(node: root, place: root.place, path: "", context: context)
        self.context = context
    }

    /// - Parameter name: the scenario's name where it gives none.
    func decode(defaultName name: String) -> ExperimentScenario {
        let program = program(root["program"])
        let forward = links(root["network"]["forward"]) ?? [.ideal]
        let clocks = root["clocks"]
        let receiverClock = clock(clocks["receivers"]) ?? .perfect
        return ExperimentScenario(
            name: scenarioName() ?? name,
            duration: duration(program),
            seed: seed() ?? 1,
            program: program,
            sender: sender(root["sender"]),
            forward: forward,
            reverse: links(root["network"]["reverse"]) ?? Self.mirror(forward),
            senderClock: clock(clocks["sender"]) ?? .perfect,
            receiverClock: receiverClock,
            receivers: receivers(root["receivers"], receiverClock),
            qos: contract(root["qos"]),
            capture: capture(root["capture"]),
            outputs: outputs(root["outputs"]))
    }

    // MARK: - The scenario as a whole

    private func scenarioName() -> String? {
        root["name"].scalar { text throws(QuantityProblem) in
            guard isScenarioName(text) else {
                throw QuantityProblem(expected: "1 to 100 letters A-Z and a-z, digits, '.', '_' and '-'", hint: nil)
            }
            return text
        }
    }

    private func seed() -> UInt64? {
        root["seed"].scalar { text throws(QuantityProblem) in
            guard let seed = UInt64(text) else {
                throw QuantityProblem(expected: "a whole number from 0 to \(UInt64.max)", hint: nil)
            }
            return seed
        }
    }

    /// The default is the file's length, which only who opens it knows: nil. A file without end has none.
    private func duration(_ program: ExperimentScenario.Program) -> TimeSpan? {
        var usual: TimeSpan? = Self.usualDuration
        if case .file(let file) = program, !file.loops { usual = nil }
        guard root["duration"].text != "auto" else { return usual }
        return root["duration"].time(Self.shortest...Self.longestDuration) ?? usual
    }

    // MARK: - Contract, capture, outputs

    private func contract(_ reader: ScenarioReader) -> QoSContract {
        QoSContract(
            checks: QoSCheck.Name.allCases.compactMap { name in
                reader[name.rawValue].scalar { text throws(QuantityProblem) in try QoSCheck.parse(name, text) }
            })
    }

    private func capture(_ reader: ScenarioReader) -> ExperimentScenario.CapturePoints {
        let points = reader.text == nil ? reader["points"] : reader
        switch points.text {
        case "all": return .all
        case nil:
            let names = (points.elements ?? []).compactMap(\.text)
            return ExperimentScenario.CapturePoints(
                sender: names.contains("sender"), receiver: names.contains("receiver"), links: false)
        default: return .none
        }
    }

    private func outputs(_ reader: ScenarioReader) -> ExperimentScenario.Outputs {
        let media = reader["media"]
        var names = ["sent", "received"]
        if media.isPresent { names = (media.elements ?? []).compactMap(\.text) }
        let series = reader["series"]
        return ExperimentScenario.Outputs(
            sentMedia: names.contains("sent"), receivedMedia: names.contains("received"),
            series: series.text == "none"
                ? nil : series.time(.milliseconds(1)...Self.longestDuration) ?? Self.usualSeries,
            packets: reader["packets"].truth() ?? false)
    }
}

func isScenarioName(_ text: String) -> Bool {
    (1...100).contains(text.utf8.count) && !text.hasPrefix(".")
        && text.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: ".") }
}
