extension CatalogReference {
    private static let columns = 80

    /// Every name with its unit and the direction that is worse, and its definition beneath; lines of 80 columns.
    public func text(isColoured: Bool) -> String {
        let styled = StyledText(isColoured: isColoured)
        var lines: [String] = []
        var told: String?
        for entry in entries {
            let isTop = !entry.path.contains(".")
            if isTop, !lines.isEmpty { lines.append("") }
            // Of one member of a group the group must be told first.
            if let parent = entry.parent, !entries.contains(where: { $0.path == parentPath(entry) }),
                told != parentPath(entry)
            {
                told = parentPath(entry)
                lines += CatalogReference.lines(parentPath(entry), "", parent.definition, styled)
            }
            lines += CatalogReference.lines(
                entry.path + entry.node.suffix, entry.node.kindText, entry.node.definition, styled)
        }
        if !shares.isEmpty, !lines.isEmpty { lines += ["", "Shares that checks and comparisons know:"] }
        for share in shares {
            lines += CatalogReference.lines(
                share.name, share.kind.text, "\(share.definition) \(share.formula), of \(share.list).", styled)
        }
        if entries.contains(where: { $0.node.isDistribution }) {
            lines += ["", "The numbers of a DIST, each named by its path: flows.pdv_ns.p99"]
            for member in DistributionMember.allCases {
                lines += CatalogReference.wrapped(
                    member.definition, first: "  " + CatalogReference.padded(member.rawValue, 8), others: 10)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func parentPath(_ entry: Entry) -> String {
        String(entry.path[..<(entry.path.lastIndex(of: ".") ?? entry.path.endIndex)])
    }

    private static func lines(_ name: String, _ kind: String, _ definition: String, _ styled: StyledText) -> [String] {
        let gap = String(repeating: " ", count: max(2, columns - name.count - kind.count))
        return [styled(name, .bold) + (kind.isEmpty ? "" : gap + styled(kind, .dim))]
            + wrapped(definition, first: "    ", others: 4)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func wrapped(_ text: String, first: String, others: Int) -> [String] {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > columns {
                lines.append(line)
                line = String(repeating: " ", count: others)
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }
}

extension MetricKind {
    fileprivate var text: String {
        let unit =
            switch unit {
            case .text: "text"
            case .truth: "true or false"
            case .plain: "number"
            default: self.unit.name ?? ""
            }
        return switch worse {
        case .up: unit + ", worse: up"
        case .down: unit + ", worse: down"
        case .awayFromZero: unit + ", worse: away from 0"
        case .unknown: unit
        }
    }
}

extension CatalogNode {
    fileprivate var isDistribution: Bool { if case .distribution = content { true } else { false } }

    /// How elements are picked, or what stands for names that differ.
    fileprivate var suffix: String {
        switch content {
        case .list(let naming, _): "[" + naming.selectors.joined(separator: "|") + "]"
        case .map(let known, _) where known.isEmpty: ".N"
        case .texts: "[]"
        default: ""
        }
    }

    fileprivate var kindText: String {
        switch content {
        case .value(let kind), .map(_, let kind): kind.text
        case .distribution(let kind): "DIST of " + kind.text
        case .texts: "texts"
        case .group, .list: ""
        }
    }
}
