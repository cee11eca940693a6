import Foundation
import Timebase

/// Scalars.
extension Kind {
    static func scalar(
        _ scalar: Shape.Scalar, _ parse: @escaping @Sendable (String) throws(QuantityProblem) -> Value,
        _ text: @escaping @Sendable (Value) -> String
    ) -> Kind {
        Kind(Shape(scalar: scalar)) {
            $0.scalar(parse)
        } write: {
            .scalar(text($0))
        }
    }

    /// - Parameter limit: words a bound.
    private static func bounded(
        _ range: ClosedRange<Value>, _ scalar: Shape.Scalar, limit: (@Sendable (Value) -> String)? = nil,
        _ parse: @escaping @Sendable (String) throws(QuantityProblem) -> Value,
        _ text: @escaping @Sendable (Value) -> String
    ) -> Kind where Value: Comparable & Sendable {
        let limit = limit ?? text
        var scalar = scalar
        let words: @Sendable () -> String = { "from \(limit(range.lowerBound)) to \(limit(range.upperBound))" }
        scalar.range = words
        return Kind(Shape(scalar: scalar)) { reader in
            guard let value = reader.scalar(parse) else { return nil }
            guard range.contains(value) else { return reader.failing(expected: words()) }
            return value
        } write: { value in
            .scalar(text(value))
        }
    }
}

extension Kind where Value == TimeSpan {
    static func time(_ range: ClosedRange<TimeSpan>) -> Kind {
        bounded(
            range, Shape.Scalar(noun: "a time with its unit", example: "20ms"), limit: { limitText($0) },
            { text throws(QuantityProblem) in try Quantity.time(text) }, { Quantity.text($0) })
    }

    /// Whole hours as hours.
    private static func limitText(_ span: TimeSpan) -> String {
        let (hours, rest) = span.nanoseconds.quotientAndRemainder(dividingBy: 3_600_000_000_000)
        return hours != 0 && rest == 0 ? "\(hours)h" : Quantity.text(span)
    }
}

extension Kind where Value == BitRate {
    static func bitRate(_ range: ClosedRange<BitRate>) -> Kind {
        bounded(
            range, Shape.Scalar(noun: "a bit rate with its unit", example: "5 Mbit/s"),
            { text throws(QuantityProblem) in try Quantity.bitRate(text) }, { Quantity.text($0) })
    }
}

extension Kind where Value == Ratio {
    static let ratio = scalar(
        Shape.Scalar(noun: "a percentage", example: "1%", range: { "from 0% to 100%" }),
        { text throws(QuantityProblem) in try Quantity.ratio(text) }, { Quantity.text($0) })

    static let belowOne = "from 0% to less than 100%"

    /// Of neighbours, at lag one.
    static let correlation = ratio.checked(range: { belowOne }) { correlation, reader in
        guard correlation.value >= 1 else { return }
        reader.reportInvalid(expected: "less than 100%", hint: "at 100% nothing would ever change")
    }
}

extension Kind where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> Kind {
        bounded(
            range, Shape.Scalar(noun: "a number", example: "3"),
            { text throws(QuantityProblem) in try Quantity.number(text) }, { Quantity.text($0) })
    }
}

extension Kind where Value == Int {
    static func byteCount(_ range: ClosedRange<Int>) -> Kind {
        bounded(
            range, Shape.Scalar(noun: "an amount of data with its unit", example: "64 kB"),
            { text throws(QuantityProblem) in Int(try Quantity.byteCount(text)) }, { Quantity.text(bytes: Int64($0)) })
    }

    static func integer(_ range: ClosedRange<Int>, hint: String? = nil) -> Kind {
        let words: @Sendable () -> String = { "from \(range.lowerBound) to \(range.upperBound)" }
        let scalar = Shape.Scalar(noun: "a whole number", example: "\(range.lowerBound)", range: words)
        return .scalar(scalar) { text throws(QuantityProblem) in
            guard let value = Int(text), range.contains(value) else {
                throw QuantityProblem(expected: "a whole number " + words(), hint: hint)
            }
            return value
        } _: {
            "\($0)"
        }
    }
}

extension Kind where Value == Int64 {
    /// Parts per billion.
    static func frequency(_ range: ClosedRange<Int64>) -> Kind {
        bounded(
            range, Shape.Scalar(noun: "a frequency error with its unit", example: "40 ppm"),
            { text throws(QuantityProblem) in try Quantity.frequency(text) }, { Quantity.text(partsPerBillion: $0) })
    }
}

extension Kind where Value == Int64 {
    /// Parts per 10^18.
    static func parts(_ kind: QuantityKind, _ range: ClosedRange<Int64>) -> Kind {
        bounded(
            range, Shape.Scalar(noun: kind.expected.components(before: ", such as "), example: "1 " + kind.usual),
            { text throws(QuantityProblem) in try Quantity.parts(text, kind) }, { Quantity.text(parts: $0, kind) })
    }
}

extension String {
    /// Up to where `end` begins; all without it.
    fileprivate func components(before end: String) -> String {
        range(of: end).map { String(self[..<$0.lowerBound]) } ?? self
    }
}

extension Kind where Value == UInt64 {
    static let seed = scalar(
        Shape.Scalar(noun: "a whole number", example: "7", range: { "from 0 to \(UInt64.max)" }),
        { text throws(QuantityProblem) in
            guard let seed = UInt64(text) else {
                throw QuantityProblem(expected: "a whole number from 0 to \(UInt64.max)", hint: nil)
            }
            return seed
        }, { "\($0)" })
}

extension Kind where Value == UnitsPerSecond {
    static let unitRate = scalar(
        Shape.Scalar(noun: "units a second", example: "29.97", range: { "from one an hour to 1000000" }),
        { text throws(QuantityProblem) in try Quantity.unitRate(text) }, { Quantity.text($0) })
}

extension Kind where Value == ServiceClass {
    static let serviceClass = scalar(
        Shape.Scalar(noun: "a class of service", example: "EF", range: { ServiceClass.words }),
        { text throws(QuantityProblem) in
            guard let parsed = ServiceClass(text) else {
                throw QuantityProblem(expected: ServiceClass.words, hint: nil)
            }
            return parsed
        }, { $0.name })
}

extension Kind where Value == String {
    /// A name that others refer to.
    static let identifier = name("1 to 64 letters A-Z and a-z, digits, '_' and '-'") { text in
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { isWordByte($0) }
    }

    static let scenarioName = name("1 to 100 letters A-Z and a-z, digits, '.', '_' and '-'") { isScenarioName($0) }

    static func isScenarioName(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: ".") }
    }

    private static func name(_ words: String, isName: @escaping @Sendable (String) -> Bool) -> Kind {
        .scalar(Shape.Scalar(noun: "a name", example: "tv", range: { words })) { text throws(QuantityProblem) in
            guard isName(text) else { throw QuantityProblem(expected: words, hint: nil) }
            return text
        } _: {
            ScenarioText.quoted($0)
        }
    }

    /// A file's name, as an absolute path.
    static let file = Kind(Shape(scalar: Shape.Scalar(noun: "a file's name", example: "file.csv"))) {
        $0.file() ?? $0.failing()
    } write: {
        .scalar(ScenarioText.quoted($0))
    }
}
