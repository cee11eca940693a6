extension JSONValue {
    /// The document as UTF-8: two spaces of indentation, a member a line, and a newline at the end.
    ///
    /// The same value gives the same bytes everywhere. Numbers that are not whole are the shortest text that reads
    /// back as the same `Double`; NaN and the infinities, which JSON cannot say, become null.
    public func document() -> [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, depth: 0)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// ``document()`` as text.
    public var text: String { String(decoding: document(), as: UTF8.self) }

    /// The value as it stands in a document, `depth` lists and objects deep.
    func text(atDepth depth: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes, depth: depth)
        return bytes
    }

    private func write(to bytes: inout [UInt8], depth: Int) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): bytes.append(contentsOf: value.description.utf8)
        case .number(let value): bytes.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
        case .string(let value): value.writeQuoted(to: &bytes)
        case .array(let elements):
            writeList(elements, in: ("[", "]"), to: &bytes, depth: depth) { element, bytes in
                element.write(to: &bytes, depth: depth + 1)
            }
        case .object(let object):
            writeList(object.members, in: ("{", "}"), to: &bytes, depth: depth) { member, bytes in
                member.name.writeQuoted(to: &bytes)
                bytes.append(contentsOf: ": ".utf8)
                member.value.write(to: &bytes, depth: depth + 1)
            }
        }
    }

    private func writeList<Element>(
        _ list: [Element], in brackets: (String, String), to bytes: inout [UInt8], depth: Int,
        each: (Element, inout [UInt8]) -> Void
    ) {
        bytes.append(contentsOf: brackets.0.utf8)
        for (index, element) in list.enumerated() {
            bytes.append(contentsOf: (index == 0 ? "\n" : ",\n").utf8)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * (depth + 1)))
            each(element, &bytes)
        }
        if !list.isEmpty {
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
        }
        bytes.append(contentsOf: brackets.1.utf8)
    }
}

extension String {
    fileprivate func writeQuoted(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case 0x0a: bytes.append(contentsOf: "\\n".utf8)
            case 0x0d: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes.append(contentsOf: ("\\u00" + (digits.utf8.count == 1 ? "0" : "") + digits).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
