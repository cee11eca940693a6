/// The repeating pattern of picture types of a video, in the order of presentation: `IBBPBBPBBPBB`.
///
/// A B picture refers to the I or P picture on either side and nothing refers to it. Where the pattern ends with B
/// pictures these refer to the next group's I picture (an open group).
public struct GroupOfPictures: Sendable, Equatable {
    /// As given, in capitals.
    let pattern: String

    /// One picture of the pattern.
    struct Picture: Equatable, Sendable {
        var type: FrameType
        /// Position in the pattern by presentation; negative for one that belongs to the group before.
        var display: Int
        var references: UnitReferences
        /// An I picture that nothing after refers across.
        var isInstantaneousRefresh: Bool { references.refresh == .instantaneous }
    }

    /// The pattern in decoding order: the I picture, the group before's last B pictures, then the rest.
    let pictures: [Picture]
    /// How many B pictures end the pattern. The first group has none before it to finish, and so these fewer units.
    let trailing: Int
    /// Whether decoding order differs from presentation's.
    let isReordered: Bool

    /// - Parameter pattern: 1...600 letters I, P and B of either case, an I first.
    /// - Returns: nil for anything else.
    public init?(_ pattern: String) {
        let capitals = pattern.uppercased()
        guard capitals.utf8.count <= 600, capitals.hasPrefix("I") else { return nil }
        var types: [FrameType] = []
        for letter in capitals.utf8 {
            switch letter {
            case UInt8(ascii: "I"): types.append(.intra)
            case UInt8(ascii: "P"): types.append(.predicted)
            case UInt8(ascii: "B"): types.append(.bidirectional)
            default: return nil
            }
        }
        self.pattern = capitals
        trailing = types.count - 1 - (types.lastIndex { $0 != .bidirectional } ?? 0)
        isReordered = types.contains(.bidirectional)
        var pictures: [Picture] = []
        var waiting = (types.count - trailing..<types.count).map {
            Picture(type: .bidirectional, display: $0 - types.count, references: .leading)
        }
        for (display, type) in types.dropLast(trailing).enumerated() {
            if type == .bidirectional {
                waiting.append(Picture(type: type, display: display, references: .disposable))
            } else {
                let isIntra = type == .intra
                let references: UnitReferences =
                    !isIntra ? .predicted : waiting.isEmpty ? .intra(.instantaneous).restartingOrder : .intra(.open)
                pictures.append(Picture(type: type, display: display, references: references))
                if isIntra { for index in waiting.indices { waiting[index].references = .leading } }
                pictures += waiting
                waiting = []
            }
        }
        self.pictures = pictures
    }
}
