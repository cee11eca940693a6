/// How a value is compared with a limit.
public enum Comparison: String, Sendable, CaseIterable {
    // The longer signs stand before their beginnings.
    /// At most the limit.
    case lessOrEqual = "<="
    /// At least the limit.
    case greaterOrEqual = ">="
    /// Exactly the limit.
    case equal = "=="
    /// Anything but the limit.
    case notEqual = "!="
    /// Less than the limit.
    case less = "<"
    /// More than the limit.
    case greater = ">"

    /// Whether a value keeps to a limit.
    public func holds<Value: Comparable>(_ value: Value, _ limit: Value) -> Bool {
        switch self {
        case .lessOrEqual: value <= limit
        case .greaterOrEqual: value >= limit
        case .equal: value == limit
        case .notEqual: value != limit
        case .less: value < limit
        case .greater: value > limit
        }
    }

    /// Whether the greatest of several values is the one nearest to failing.
    public var isUpperBound: Bool { self == .less || self == .lessOrEqual }
}
