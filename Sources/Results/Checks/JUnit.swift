import Scenario

/// Check results as JUnit XML, which every CI system reads: each check is a test case.
public enum JUnit {
    /// - Parameter seconds: how long the run took by the wall clock.
    public static func document(run name: String, results: [CheckResult], seconds: Double) -> String {
        let failures = results.count { !$0.passed }
        let time = Format.decimal(seconds, places: 3)
        let counts = "tests=\"\(results.count)\" failures=\"\(failures)\" errors=\"0\""
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text += "<testsuites name=\"rubato\" \(counts) time=\"\(time)\">\n"
        text += "  <testsuite name=\"\(escaped(name))\" \(counts) skipped=\"0\" time=\"\(time)\">\n"
        for result in results { text += testCase(result, suite: name) }
        return text + "  </testsuite>\n</testsuites>\n"
    }

    private static func testCase(_ result: CheckResult, suite: String) -> String {
        let expression = result.check.expression
        let name = (result.check.term.map { $0 + ": " } ?? "") + expression
        let opening = "    <testcase classname=\"rubato.\(escaped(suite))\" name=\"\(escaped(name))\" time=\"0\""
        let samples =
            "      <properties>\n        <property name=\"samples\" value=\"\(result.count)\"/>\n      </properties>\n"
        guard !result.passed else { return opening + ">\n" + samples + "    </testcase>\n" }
        let message =
            "got \(result.valueText), wanted \(result.check.comparison.rawValue) "
            + Format.exact(result.check.limit, result.check.metric.kind.unit)
        let detail = [message, result.note].compactMap { $0 }.joined(separator: "; ")
        return opening
            + ">\n" + samples
            + "      <failure type=\"check\" message=\"\(escaped(message))\">\(escaped(detail))</failure>\n"
            + "    </testcase>\n"
    }

    /// For text and for attribute values in double quotes; what XML 1.0 cannot carry becomes U+FFFD.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            case "\t", "\n", "\r": escaped += "&#\(scalar.value);"
            case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
