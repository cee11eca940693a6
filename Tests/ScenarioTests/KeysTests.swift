import Testing

@testable import Scenario

@Suite("The reference of a scenario's keys")
struct KeysTests {
    /// Every key in every place: also where an earlier place has explained it.
    static func everyKey() throws -> [ScenarioKey] {
        var waiting = [""]
        var found: [ScenarioKey] = []
        var seen: Set<String> = []
        while let path = waiting.popLast() {
            for key in try ScenarioReference.keys(below: path) {
                guard seen.insert(key.path + (key.companion ?? "")).inserted else { continue }
                found.append(key)
                waiting.append(key.path)
            }
        }
        return found
    }

    @Test func everyExampleIsAccepted() throws {
        let keys = try Self.everyKey()
        #expect(keys.count > 400)
        for key in keys {
            let yaml = key.path.hasPrefix("program") ? key.example : "program: { file: movie.ts }\n" + key.example
            #expect(problems(yaml) == [], "\(key.path): \(key.example)")
            let last = try #require(key.path.split(separator: ".").last)
            #expect(key.example.contains("\(last):"), "\(key.path)")
        }
    }

    /// Keys whose meaning names another one that their values depend on.
    static let dependent = [
        "bitrate": "enough", "mean_burst": "at least 1 / (1 - loss)", "burst_density": "more than loss",
        "isolated_loss": "at most loss", "max_poll": "at least poll", "window": "less than the interval",
    ]

    @Test func whatARangeSaysIsRead() throws {
        var tried = 0
        for key in try Self.everyKey() {
            guard let words = key.range, words.hasPrefix("from "), let name = key.path.split(separator: ".").last else {
                continue
            }
            if let other = Self.dependent[String(name)], key.meaning.contains(other) { continue }
            let ends = words.dropFirst(5).split(separator: " to ").map(String.init)
            guard ends.count == 2, !ends[0].hasPrefix("one ") else { continue }
            let yaml = key.path.hasPrefix("program") ? key.example : "program: { file: movie.ts }\n" + key.example
            for end in ends where !end.hasPrefix("less than ") {
                tried += 1
                let refused = problems(yaml, ["\(key.path)=\(end)"]).filter { $0.contains("'\(end)' is not valid") }
                #expect(refused == [], "\(key.path), \(words): \(key.example)")
            }
        }
        #expect(tried > 400)
    }

    @Test(
        "What holds without a key is not quoted as if it had been written",
        arguments: [
            ("markov4: { p13: 1%, p32: 100% }", "p31"), ("markov4: { loss: 100%, mean_burst: 3 }", "burst_density"),
        ])
    func unwritten(loss: String, key: String) {
        let found = problems("program: { file: movie.ts }\nnetwork: { forward: [ { loss: { \(loss) } } ] }")
        #expect(found.contains { $0.contains("\(key): it is missing, and what holds without it") }, "\(found)")
        #expect(!found.contains { $0.contains("''") })
    }

    @Test func everyKeyIsExplainedInOneSentence() throws {
        for key in try ScenarioReference.keys() {
            #expect(key.meaning.hasSuffix(".") && !key.meaning.contains("\n"), "\(key.path)")
            #expect(!key.kind.isEmpty && key.usual?.isEmpty != true, "\(key.path)")
        }
    }

    @Test func aDefaultIsWhatHoldsWithoutTheKey() throws {
        let keys = try ScenarioReference.keys()
        func usual(_ path: String) -> String? { keys.first { $0.path == path }?.usual }
        #expect(usual("seed") == "1")
        #expect(usual("network.forward.0.delay") == "0ms")
        #expect(usual("network.forward.0.queue") == "{ drop_tail: { limit: 200ms } }")
        #expect(usual("network.forward.0.rate") == "none")
        #expect(usual("network.forward.0.queue.codel.interval") == "100ms")
        #expect(usual("network.forward.0.queue.codel.limit") == "1000 packets")
        #expect(usual("network.forward.0.loss.gilbert_elliott.loss_bad") == "100%")
        #expect(usual("network.forward.0.loss.gilbert_elliott.loss") == nil)
        #expect(usual("network.forward.0.rate_trace.reading") == "opportunities")
        #expect(usual("network.forward.0.cross_traffic.0.on_off.law") == "exponential")
        #expect(usual("receivers.0.playout") == "{ fixed: 150ms }")
        #expect(usual("receivers.0.clock") == "clocks.receivers")
        #expect(usual("outputs.media") == "[sent, received, presented]")
        // Those that are one value can be written.
        for key in keys where key.range != nil || !key.kind.contains("map") {
            guard let text = key.usual, !text.contains(" of ") && !text.contains("'s ") && !text.contains("less") else {
                continue
            }
            guard !["receivers", "receivers.0.clock"].contains(key.path), !key.kind.contains("list") else { continue }
            let yaml = key.path.hasPrefix("program") ? key.example : "program: { file: movie.ts }\n" + key.example
            #expect(problems(yaml, ["\(key.path)=\(text)"]) == [], "\(key.path)")
        }
    }

    @Test func whatWasExplainedBeforeIsNotAgain() throws {
        let paths = try ScenarioReference.keys().map(\.path)
        #expect(paths.contains("network.forward.0.loss.markov4.p13"))
        #expect(paths.contains("network.reverse") && !paths.contains { $0.hasPrefix("network.reverse.") })
        #expect(paths.contains("network.forward.0.schedule.0.loss"))
        #expect(!paths.contains("network.forward.0.schedule.0.loss.bernoulli"))
        let below = try ScenarioReference.keys(below: "receivers.2.last_links.1.loss.markov4").map(\.path)
        #expect(below.first == "receivers.2.last_links.1.loss.markov4")
        #expect(below.contains("receivers.2.last_links.1.loss.markov4.p13") && below.count == 11)
    }

    static let unknown: [(String, [String])] = [
        ("network.forward.0.los", ["network.forward.0.loss"]), ("network.forwrad", ["network.forward"]),
        ("loss", ["qos.loss", "network.forward.0.loss"]), ("sender.fec", []),
        ("network.forward.x", ["network.forward.0"]), ("seed.x", ["seed"]), ("network..forward", []),
    ]

    @Test("An unknown key is told with the nearest ones", arguments: unknown)
    func unknownKey(path: String, suggestions: [String]) throws {
        let error = #expect(throws: UnknownScenarioKey.self) { try ScenarioReference.keys(below: path) }
        let found = try #require(error)
        for suggestion in suggestions { #expect(found.suggestions.contains(suggestion), "\(found)") }
        #expect(found.suggestions.count <= 3)
    }
}

@Suite("What this version does not support")
struct UnsupportedTests {
    /// A place of a scenario, what is not supported there, and a scenario with a word or key of one's choice in it.
    struct Place: Sendable {
        var path: String
        var unsupported: [String]
        var isKey: Bool
    }

    /// Every word and key that is known but refused.
    static let places: [Place] = {
        var places: [Place] = []
        var seen: Set<ObjectIdentifier> = []
        func walk(_ shape: Shape, _ path: String) {
            let words = shape.words.filter { !$0.isSupported }.map(\.text)
            if !words.isEmpty { places.append(Place(path: path, unsupported: words, isKey: false)) }
            if let keys = shape.keys, seen.insert(ObjectIdentifier(keys)).inserted {
                let refused = keys.fields.filter { !$0.isUsable }.map(\.name)
                if !refused.isEmpty { places.append(Place(path: path, unsupported: refused, isKey: true)) }
                for field in keys.fields { walk(field.shape, path.isEmpty ? field.name : "\(path).\(field.name)") }
            }
            for element in shape.element { walk(element, path + ".0") }
            for value in shape.anyValue { walk(value, "\(path).\(shape.exampleKey)") }
        }
        walk(ExperimentScenario.record.shape, "")
        return places
    }()

    /// One letter left out, doubled, changed or swapped with its neighbour.
    static func misspellings(_ word: String) -> [String] {
        let letters = Array(word)
        return letters.indices.flatMap { index -> [String] in
            var (short, long, changed, swapped) = (letters, letters, letters, letters)
            short.remove(at: index)
            long.insert(letters[index], at: index)
            changed[index] = "q"
            if index + 1 < letters.count { swapped.swapAt(index, index + 1) }
            return [short, long, changed, swapped].map { String($0) }
        }
    }

    @Test func thereIsSome() {
        #expect(Self.places.flatMap(\.unsupported).contains("token_bucket"))
        #expect(Self.places.flatMap(\.unsupported).contains("fec"))
    }

    @Test("is never suggested, however near a misspelled word is to it", arguments: places)
    func neverSuggested(place: Place) {
        let base = "program: { file: a.ts }\nnetwork: { forward: [ { rate: 1 Mbit/s } ] }\nreceivers: [ { id: tv } ]"
        for word in place.unsupported {
            for misspelled in Self.misspellings(word) where !place.unsupported.contains(misspelled) {
                let setting = place.isKey ? "\(place.path).\(misspelled)=1" : "\(place.path)=\(misspelled)"
                // As a file has it, and as an option.
                let listed = place.isKey ? "\(place.path)={ \(misspelled): 1 }" : "\(place.path)=[\(misspelled)]"
                for text in problems(base, [setting]) + problems(base, [listed]) {
                    for refused in place.unsupported {
                        #expect(!text.contains("did you mean '\(refused)'"), "\(text)")
                        let isOffered = text.split(separator: "expected ").dropFirst().contains { list in
                            list.split(whereSeparator: { ",(: ".contains($0) }).contains { $0 == refused }
                        }
                        #expect(!isOffered, "\(text)")
                    }
                }
            }
        }
    }

    @Test("is told to be so where it is written as it is", arguments: places)
    func refused(place: Place) {
        let base = "program: { file: a.ts }\nreceivers: [ { id: tv } ]\nnetwork: { forward: [ { rate: 1 Mbit/s } ] }"
        for word in place.unsupported {
            let setting = place.isKey ? "\(place.path).\(word)={ a: 1 }" : "\(place.path)=\(word)"
            #expect(problems(base, [setting]).contains { $0.contains("not supported by this version") }, "\(setting)")
        }
    }
}
