/// How a value is compared with a limit.
enum Comparison: String, Sendable, CaseIterable {
    // The longer signs stand before their beginnings.
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"

    func holds<Value: Comparable>(_ value: Value, _ limit: Value) -> Bool {
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
    var isUpperBound: Bool { self == .less || self == .lessOrEqual }
}
