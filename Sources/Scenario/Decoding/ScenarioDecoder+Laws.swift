import Timebase

/// The laws of jitter and loss.
extension ScenarioDecoder {
    func shape(_ reader: ScenarioReader, _ range: ClosedRange<Double>) -> Double? {
        reader.bounded(range, { (value: Double) in Quantity.text(value) }) {
            text throws(QuantityProblem) in try Quantity.number(text)
        }
    }

    // MARK: Jitter

    /// - Returns: nil for "none".
    func jitter(_ reader: ScenarioReader) -> Link.Jitter? {
        let names = (ScenarioShape.jitter.fields ?? []).map(\.name)
        guard let name = names.first(where: { reader[$0].isPresent }) else { return nil }
        let law = reader[name]
        let correlation = law["correlation"].ratio() ?? .zero
        if correlation.value >= 1 {
            law["correlation"].reportInvalid(expected: "less than 100%", hint: "at 100% nothing would ever change")
        }
        if name == "trace", correlation.value > 0 {
            law["correlation"].report("a trace has the correlation that it has", hint: "leave it out")
        }
        guard let decoded = self.law(name, law) else { return nil }
        return Link.Jitter(law: decoded, correlation: correlation, reorder: law["reorder"].truth() ?? false)
    }

    private func law(_ name: String, _ reader: ScenarioReader) -> Link.Jitter.Law? {
        func span(_ key: String) -> TimeSpan? {
            reader[key].reportMissing(expected: "a time with its unit, such as 5ms")
            return reader[key].time(.zero...Self.longestDelay)
        }
        func shape(_ range: ClosedRange<Double>) -> Double? {
            reader["shape"].reportMissing(expected: "a number, such as 2.5")
            return self.shape(reader["shape"], range)
        }
        func path() -> String? {
            reader["file"].reportMissing(expected: "a file's name")
            return reader["file"].isPresent ? reader["file"].file() : nil
        }
        switch name {
        case "normal": return span("deviation").map { .normal(deviation: $0) }
        case "uniform": return span("half_range").map { .uniform(halfRange: $0) }
        case "paretonormal": return span("deviation").map { .paretoNormal(deviation: $0) }
        case "exponential": return span("mean").map { .exponential(mean: $0) }
        case "gamma":
            guard let mean = span("mean"), let shape = shape(0.05...10_000) else { return nil }
            return .gamma(mean: mean, shape: shape)
        case "pareto":
            guard let mean = span("mean"), let shape = shape(1.05...1_000) else { return nil }
            return .pareto(mean: mean, shape: shape)
        case "table":
            guard let path = path(), let deviation = span("deviation") else { return nil }
            return .table(path: path, deviation: deviation)
        case "empirical": return path().map { .empirical(path: $0) }
        default: return path().map { .trace(path: $0) }
        }
    }

    // MARK: Loss

    /// - Returns: nil for "none".
    func loss(_ reader: ScenarioReader) -> Link.Loss? {
        if let probability = reader["bernoulli"].ratio() { return .bernoulli(probability) }
        if reader["gilbert_elliott"].isPresent { return gilbertElliott(reader["gilbert_elliott"]) }
        if reader["markov4"].isPresent { return markov4(reader["markov4"]) }
        if reader["pattern"].isPresent { return pattern(reader["pattern"]) }
        if reader["trace"].isPresent { return reader["trace"].file().map { .trace(path: $0) } }
        let rate = reader["bit_error_rate"].scalar { text throws(QuantityProblem) in
            let isNumber = text.utf8.allSatisfy { isDigit($0) || "+-.eE".utf8.contains($0) }
            guard isNumber, let rate = Double(text), (0...1).contains(rate) else {
                throw QuantityProblem(expected: "a number from 0 to 1, such as 1e-6", hint: nil)
            }
            return rate
        }
        return rate.map { .bitErrors($0) }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func probability(_ reader: ScenarioReader, usual: Double? = nil) -> Ratio? {
        if usual == nil { reader.reportMissing(expected: "a probability, such as 1%") }
        return reader.isPresent ? reader.ratio() : usual.map { Ratio($0) }
    }

    private func gilbertElliott(_ reader: ScenarioReader) -> Link.Loss? {
        var step: TimeSpan?
        if reader["time_driven"].truth() == true {
            step = reader["step"].time(.microseconds(1)...Self.longestDelay) ?? .milliseconds(1)
        } else if reader["step"].isPresent {
            reader["step"].report("'step' goes with 'time_driven: true'", hint: "leave it out")
        }
        if reader["p"].isPresent {
            guard let p = probability(reader["p"]), let r = probability(reader["r"]),
                let bad = probability(reader["loss_bad"], usual: 1),
                let good = probability(reader["loss_good"], usual: 0)
            else { return nil }
            if p.value + r.value == 0 {
                reader["r"].reportInvalid(expected: "more than 0%", hint: "with p also 0% it would never leave a state")
            }
            return .gilbertElliott(.init(law: .transitions(p: p, r: r, lossBad: bad, lossGood: good), step: step))
        }
        reader["loss"].reportMissing(expected: "a percentage, such as 1%, or p and r")
        reader["mean_burst"].reportMissing(expected: "the mean length of a run of losses in packets, such as 3")
        let burst = shape(reader["mean_burst"], 1...1_000_000)
        guard let loss = reader["loss"].ratio() else { return nil }
        guard loss.value < 1 else {
            reader["loss"].report(
                "with all packets lost there are no bursts", expected: "less than 100%", hint: "use bernoulli: 100%")
            return nil
        }
        guard let burst, checkBurst(burst, reader["mean_burst"], loss) else { return nil }
        let longest = reader["longest_burst"].integer(1...1_000_000)
        return .gilbertElliott(
            .init(law: .bursts(loss: loss, meanBurst: burst, longestBurst: longest), step: step))
    }

    /// Where losses are independent (p + r = 1) a run of them has a mean length of 1 / (1 - loss); shorter runs would
    /// need losses that repel each other.
    private func checkBurst(_ burst: Double, _ reader: ScenarioReader, _ loss: Ratio) -> Bool {
        let least = 1 / (1 - loss.value)
        guard burst < least else { return true }
        reader.reportInvalid(
            expected: "at least 1 / (1 - loss) = \(Quantity.text((least * 1000).rounded(.up) / 1000))",
            hint: "even independent losses of \(Quantity.text(loss)) come in runs of that mean length")
        return false
    }

    private func markov4(_ reader: ScenarioReader) -> Link.Loss? {
        if reader["p13"].isPresent { return transitions(reader).map { .markov4($0) } }
        reader["mean_burst"].reportMissing(expected: "the mean length of a burst in packets, such as 10")
        reader["loss"].reportMissing(expected: "a percentage, such as 1%, or p13, p31, p32, p23 and p14")
        guard let loss = reader["loss"].ratio(), let burst = shape(reader["mean_burst"], 1...1_000_000),
            let density = probability(reader["burst_density"], usual: 1),
            let isolated = probability(reader["isolated_loss"], usual: 0)
        else { return nil }
        let good = shape(reader["mean_good_run"], 1...1_000_000) ?? 1
        guard isolated.value <= loss.value else {
            reader["isolated_loss"].reportInvalid(expected: "at most the loss of \(Quantity.text(loss))")
            return nil
        }
        guard density.value > loss.value else {
            reader["burst_density"].reportInvalid(
                expected: "more than the loss of \(Quantity.text(loss))", hint: "bursts are denser than the whole")
            return nil
        }
        return .markov4(
            .bursts(loss: loss, meanBurst: burst, density: density, isolated: isolated, meanGoodRun: good))
    }

    /// netem's: 13, 31, 32, 23, 14, all but the first with a default.
    private func transitions(_ reader: ScenarioReader) -> Link.Loss.Markov4? {
        guard let p13 = probability(reader["p13"]), let p32 = probability(reader["p32"], usual: 0),
            let p31 = probability(reader["p31"], usual: 1 - p32.value), let p23 = probability(reader["p23"], usual: 1),
            let p14 = probability(reader["p14"], usual: 0)
        else { return nil }
        for (name, first, second) in [("p14", p13, p14), ("p32", p31, p32)] where first.value + second.value > 1 {
            reader[name].report(
                "the two ways out of a state are taken in more than 100% of the cases",
                expected: "a sum of at most 100%")
        }
        for (name, value) in [("p31", p31), ("p23", p23)] where value.value == 0 {
            reader[name].reportInvalid(expected: "more than 0%", hint: "a burst would never end")
        }
        return .transitions(p13: p13, p31: p31, p32: p32, p23: p23, p14: p14)
    }

    private func pattern(_ reader: ScenarioReader) -> Link.Loss? {
        let period = reader["repeat"].integer(1...1 << 24)
        let most = (period ?? 1 << 24) - 1
        reader["drop"].reportMissing(expected: "numbers of packets, such as [5, 6, 17]")
        let numbers = (reader["drop"].elements ?? []).compactMap { $0.integer(0...most) }
        return .pattern(drop: numbers, period: period)
    }
}
