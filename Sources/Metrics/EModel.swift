import Timebase

/// What a codec does to speech by itself and when packets are lost, for the ``EModel``.
public struct EquipmentImpairment: Equatable, Sendable {
    /// Ie, without losses: 0...95.
    public var factor: Double
    /// Bpl, the packet-loss robustness factor: the higher, the less a loss is heard; more than 0.
    public var lossRobustness: Double

    /// Ie and Bpl as ITU-T G.113 lists them.
    public init(factor: Double, lossRobustness: Double) {
        precondition(lossRobustness > 0)
        self.factor = factor
        self.lossRobustness = lossRobustness
    }

    /// G.711 whose receiver conceals losses (ITU-T G.113 appendix I).
    public static let g711 = EquipmentImpairment(factor: 0, lossRobustness: 25.1)
    /// G.711 with silence in place of what is lost (ITU-T G.113 appendix I).
    static let g711WithoutConcealment = EquipmentImpairment(factor: 0, lossRobustness: 4.3)
}

/// The E-model of ITU-T G.107: how good a call is that is this late and loses so many packets, everything else being at
/// the Recommendation's default values: R = 93.2 − Id − Ie,eff, without an advantage factor.
///
/// Of the delay impairment only what comes of delay as such is here; echo is taken as cancelled (Idte and Idle are 0).
/// Two terms for it are in use, which lie up to ten points of R apart at 400 ms, so that each is named.
enum EModel {
    /// R without delay, codec and losses: Ro − Is at the default values.
    static let defaultRating = 93.2

    /// Idd, the Recommendation's own term for absolute delay Ta (§7.4): 0 up to 100 ms.
    ///
    /// - Parameter delay: mouth to ear, one way.
    static func absoluteDelayImpairment(_ delay: TimeSpan) -> Double {
        let milliseconds = Double(delay.nanoseconds) / 1e6
        guard milliseconds > 100 else { return 0 }
        let x = naturalLogarithm(milliseconds / 100) / naturalLogarithm(2)
        func root(_ x: Double) -> Double { sixthRoot(1 + x * x * x * x * x * x) }
        return 25 * (root(x) - 3 * root(x / 3) + 2)
    }

    /// Id as Cole and Rosenbluth simplified it (2001): 0.024 d + 0.11 (d − 177.3) H(d − 177.3), in milliseconds.
    ///
    /// - Parameter delay: mouth to ear, one way.
    static func simplifiedDelayImpairment(_ delay: TimeSpan) -> Double {
        let milliseconds = max(0, Double(delay.nanoseconds) / 1e6)
        return 0.024 * milliseconds + 0.11 * max(0, milliseconds - 177.3)
    }

    /// Ie,eff (§7.5): Ie + (95 − Ie) Ppl / (Ppl / BurstR + Bpl).
    ///
    /// - Parameters:
    ///   - loss: the share of packets lost or too late, 0...1.
    ///   - burstRatio: BurstR; 1 of losses that come by chance. Less is taken as 1: losses more even than chance's are
    ///     outside the model.
    static func effectiveEquipmentImpairment(
        _ equipment: EquipmentImpairment, loss: Double, burstRatio: Double
    ) -> Double {
        let percent = loss * 100
        return equipment.factor + (95 - equipment.factor) * percent
            / (percent / max(1, burstRatio) + equipment.lossRobustness)
    }

    /// R, from what is subtracted for delay and for codec and losses; negative where nothing is left.
    static func rating(delayImpairment: Double, equipmentImpairment: Double) -> Double {
        defaultRating - delayImpairment - equipmentImpairment
    }

    /// MOS of a rating R (annex B), 1...4.5.
    static func meanOpinionScore(_ rating: Double) -> Double {
        if rating <= 0 { return 1 }
        if rating >= 100 { return 4.5 }
        // Below R 6.5 the curve dips under the scale's end.
        return max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
    }

    /// Of a number from 1 on, the same on every machine.
    private static func sixthRoot(_ x: Double) -> Double {
        let square = x.squareRoot()
        // Newton's iteration for a cube root falls from above, by a third at least until it is near.
        var root = square
        for _ in 0..<100 {
            let next = (2 * root + square / (root * root)) / 3
            guard next < root else { break }
            root = next
        }
        return root
    }
}
