import Testing

@testable import Media

@Suite("Reference chains")
struct ReferenceChainTests {
    /// What units become, one letter each: i intact, x impaired, u undecodable, - missing.
    ///
    /// - Parameters:
    ///   - units: in decoding order.
    ///   - arrivals: one letter each: w whole, p in part, n nothing.
    private func states(_ units: [UnitReferences], _ arrivals: String) -> String {
        var chain = ReferenceChain()
        let letters = zip(units, arrivals).enumerated().map { index, entry -> String in
            let (unit, arrival) = entry
            let came: ReferenceChain.Arrival = arrival == "w" ? .whole : arrival == "p" ? .partial : .nothing
            return switch chain.next(unit, came, at: Int64(index)) {
            case .intact: "i"
            case .impaired: "x"
            case .undecodable: "u"
            case nil: "-"
            }
        }
        return letters.joined()
    }

    /// IDR P b P b | IDR P b.
    private static let closed: [UnitReferences] = [
        .intra(.instantaneous), .predicted, .disposable, .predicted, .disposable, .intra(.instantaneous), .predicted,
        .disposable,
    ]

    @Test(
        "a loss is passed on by references until an IDR picture ends it",
        arguments: [
            ("wwwwwwww", "iiiiiiii"), ("wwnwwwww", "ii-iiiii"), ("wwpwwwww", "iixiiiii"), ("wnwwwwww", "i-xxxiii"),
            ("wpwwwwww", "ixxxxiii"), ("wwwnwwww", "iii-xiii"), ("pwwwwwww", "xxxxxiii"), ("wwwwwnww", "iiiii-xx"),
            // Nothing to start from.
            ("nwwwwwww", "-uuuuiii"), ("nwwwwnww", "-uuuu-uu"), ("nwwwwpww", "-uuuuxxx"),
        ] as [(String, String)])
    func closedGroups(arrivals: String, expected: String) {
        #expect(states(Self.closed, arrivals) == expected)
    }

    /// I P b | I L L P b: the two leading pictures refer to the P before the second I.
    private static let open: [UnitReferences] = [
        .intra(.instantaneous), .predicted, .disposable, .intra(.open), .leading, .leading, .predicted, .disposable,
    ]

    @Test(
        "leading pictures refer across the refresh that they come behind, what follows it does not",
        arguments: [
            ("wwwwwwww", "iiiiiiii"), ("wnwwwwww", "i-xixxii"), ("wwnwwwww", "ii-iiiii"), ("wwwnwwww", "iii-xxxx"),
            ("wwwwnwww", "iiii-iii"), ("wwwpwwww", "iiixxxxx"),
            // Decoding begins at the refresh: what they refer to never came.
            ("nwwwwwww", "-uuiuuii"),
        ] as [(String, String)])
    func openGroups(arrivals: String, expected: String) {
        #expect(states(Self.open, arrivals) == expected)
    }

    @Test("leading pictures that are referred to pass a loss on among themselves only")
    func leadingReferences() {
        let leading = UnitReferences(needs: .across, isReferred: true)
        let units: [UnitReferences] = [
            .intra(.instantaneous), .predicted, .intra(.open), leading, .leading, .predicted,
        ]
        #expect(states(units, "wwwnww") == "iii-xi")
    }

    @Test("after a broken link leading pictures are undecodable whatever came")
    func brokenLink() {
        let units: [UnitReferences] = [.intra(.instantaneous), .predicted, .intra(.broken), .leading, .predicted]
        #expect(states(units, "wwwww") == "iiiui")
    }

    @Test(
        "a recovery point of n frames ends a loss n references later, if none of them is lost",
        arguments: [
            // The loss is of the P before the recovery point.
            ("wnwwwwwww", "i-xxxiiii"), ("wnwnwwwww", "i-x-xxxxx"),
            // Decoding can begin there, but nothing is shown until it has recovered.
            ("nwwwwwwww", "-uuuuiiii"),
        ] as [(String, String)])
    func recoveryPoint(arrivals: String, expected: String) {
        var point = UnitReferences.predicted
        point.recoveryCount = 2
        let units: [UnitReferences] = [
            .intra(.instantaneous), .predicted, point, .predicted, .disposable, .predicted, .predicted, .disposable,
            .predicted,
        ]
        #expect(states(units, arrivals) == expected)
    }

    @Test("an I picture that is no refresh is intact itself and heals nothing")
    func plainIntra() {
        let intra = UnitReferences(needs: .nothing, isReferred: true)
        #expect(states([.intra(.instantaneous), .predicted, intra, .predicted], "wnww") == "i-ix")
        #expect(states([.intra(.instantaneous), intra, .predicted], "nww") == "-uu")
    }

    @Test("without the parameter sets decoding does not begin; once they came they need not come again")
    func parameterSets() {
        var bare = UnitReferences.intra(.instantaneous)
        bare.bringsParameters = false
        #expect(states([.intra(.instantaneous), .predicted, bare, .predicted], "nwww") == "-uuu")
        #expect(states([.intra(.instantaneous), .predicted, bare, .predicted], "wnww") == "i-ii")
    }

    @Test(
        "without the IDR picture that they are counted from pictures seem to come before those decoded, up to as many")
    func lostCount() {
        let refresh = UnitReferences.intra(.instantaneous).restartingOrder
        let units: [UnitReferences] = [
            refresh, .predicted, .predicted, refresh, .predicted, .predicted, .predicted, .predicted, refresh,
            .predicted,
        ]
        #expect(states(units, "wwwwwwwwww") == "iiiiiiiiii")
        #expect(states(units, "wwwnwwwwww") == "iii-uuxxii")
        #expect(states(units, "nwwwwwwwww") == "-uuiiiiiii")
    }

    @Test("sound and data stand for themselves")
    func independent() {
        #expect(states([.independent, .independent, .independent, .independent], "wnpw") == "i-xi")
    }

    @Test("made groups say what their pictures refer to")
    func madeGroups() throws {
        let group = try #require(GroupOfPictures("IBBPBB"))
        #expect(
            group.pictures.map(\.references) == [
                .intra(.open), .leading, .leading, .predicted, .disposable, .disposable,
            ])
        let closed = try #require(GroupOfPictures("IPBP"))
        #expect(
            closed.pictures.map(\.references) == [
                .intra(.instantaneous).restartingOrder, .predicted, .predicted, .disposable,
            ])
    }
}
