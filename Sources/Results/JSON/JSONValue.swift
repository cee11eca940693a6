/// A JSON value (RFC 8259) whose objects keep their order and whose integers stay exact.
public enum JSONValue: Equatable, Sendable {
    /// The value null: not measured.
    case null
    /// True or false.
    case bool(Bool)
    /// A whole number, exact.
    case integer(Int64)
    /// Never NaN or infinite in a document: the writer puts null instead.
    case number(Double)
    /// A text.
    case string(String)
    /// Values in their order.
    case array([JSONValue])
    /// Members by name, in the order in which they were added.
    case object(JSONObject)

    /// Null for nil.
    public init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    /// Null for nil and for what is not finite.
    init(_ value: Double?) { self = value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null }
    /// Null for nil.
    public init(_ value: String?) { self = value.map { .string($0) } ?? .null }
    /// Null for nil.
    init(_ value: Bool?) { self = value.map { .bool($0) } ?? .null }

    /// The member of an object; nil where there is none.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }

    /// The value at a path of member names with dots between; nil where there is none.
    func value(at path: String) -> JSONValue? {
        path.split(separator: ".").reduce(self) { $0?[String($1)] }
    }

    /// Whether it is null.
    public var isNull: Bool { self == .null }
    /// The text; nil for any other value.
    public var string: String? { if case .string(let text) = self { text } else { nil } }
    /// The whole number; nil for any other value.
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The values of an array; nil for any other value.
    public var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    /// The members of an object in their order; nil for any other value.
    public var members: [JSONObject.Member]? { if case .object(let object) = self { object.members } else { nil } }

    /// The number, whole or not; exact up to 2^53.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

/// The members of a JSON object in the order in which they were added.
public struct JSONObject: Equatable, Sendable {
    /// A name and what stands behind it.
    public struct Member: Equatable, Sendable {
        /// Unique in its object.
        public var name: String
        /// What has the name.
        public var value: JSONValue

        init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    private(set) var members: [Member]

    init(_ members: [Member] = []) { self.members = members }

    /// The first member of that name; setting replaces it or appends, nil removes.
    subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// Members keep the order in which they are written.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member($0, $1) }))
    }
}
