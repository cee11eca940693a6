import Metrics

extension RunRecord {
    /// Applies the terms of the QoS contract, and warns when they hold over a run that presented little: delays and skew
    /// are of what was presented, however little that is.
    public mutating func judge(by contract: [Check]) {
        checks = verdicts(on: contract)
        guard passed == true, !contract.contains(where: { $0.metric.text == "presented" }) else { return }
        let worst = measurements.substreams.filter { $0.sentUnits > 0 }.min {
            Double($0.onTime) / Double($0.sentUnits) < Double($1.onTime) / Double($1.sentUnits)
        }
        guard let worst, worst.onTime * 10 < worst.sentUnits * 9 else { return }
        measurements.warnings.append(
            .fewPresented(
                receiver: worst.receiver, substream: worst.id, onTime: worst.onTime, sent: worst.sentUnits))
    }

    /// What comes of checks that the run was told before it began: see ``Metrics/DistributionCuts``.
    public func verdicts(on checks: [Check]) -> [CheckResult] {
        let document = document
        // PDV alone has cuts that move: with each new least delay.
        let uncertain = Set(measurements.flows.flatMap { $0.quality.pdv?.uncertainCuts ?? [] })
        return checks.map { $0.verdict(in: document, uncertainCuts: uncertain) }
    }
}
