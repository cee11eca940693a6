import Metrics

extension RunRecord {
    /// Applies the terms of the QoS contract, and warns when they hold over a run that presented little: delays and skew
    /// are of what was presented, however little that is.
    public mutating func judge(by contract: [Check]) {
        let document = document
        checks = contract.map { $0.verdict(in: document) }
        guard passed == true, !contract.contains(where: { $0.metric.text == "presented" }) else { return }
        let worst = measurements.substreams.filter { $0.sentUnits > 0 }.min {
            Double($0.onTime) / Double($0.sentUnits) < Double($1.onTime) / Double($1.sentUnits)
        }
        guard let worst, worst.onTime * 10 < worst.sentUnits * 9 else { return }
        measurements.warnings.append(
            .fewPresented(
                receiver: worst.receiver, substream: worst.id, onTime: worst.onTime, sent: worst.sentUnits))
    }
}
