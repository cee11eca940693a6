import Metrics
@testable import Results
import Sessions
import TestSupport
import Testing
import Timebase

/// A list of run.json and a number below its elements.
struct ListedNumber: CustomTestStringConvertible, Sendable {
    let list: String
    /// Behind the list's name and brackets: ".packets.sent".
    let number: String
    let selectors: [String]
    var testDescription: String { list }

    /// Of every list of the catalog.
    static let all: [ListedNumber] = {
        var found: [ListedNumber] = []
        walk(Catalog.root, "") { path, node in
            guard case .list(let naming, _) = node.content else { return }
            var number = ""
            walk(node, "") { below, child in
                if number.isEmpty, child.kind?.unit.name != nil { number = "." + below }
            }
            // The checks' numbers are in their metrics' units, what is agreed on is in none.
            if number.isEmpty { number = path == "agreement.decisions" ? ".value" : ".limit" }
            found.append(ListedNumber(list: path, number: number, selectors: naming.selectors))
        }
        return found
    }()
}

/// A node and all below it with their paths.
func walk(_ node: CatalogNode, _ path: String, _ visit: (String, CatalogNode) -> Void) {
    visit(path, node)
    for child in node.children { walk(child, path.isEmpty ? child.name : path + "." + child.name, visit) }
}

@Suite("The catalog")
struct CatalogTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// With an element in every list.
    private func fullRecord() throws -> RunRecord {
        var record = Fixture.record(receivers: ["tv", "phone"])
        for receiver in ["tv", "phone"] {
            var reservation = ReservationMeasurements()
            reservation.flow = "program"
            reservation.receiver = receiver
            record.measurements.reservations.append(reservation)
            record.measurements.calls.append(Fixture.call(receiver: receiver))
            record.quality.append(PictureQuality(receiver: receiver, substream: "video"))
        }
        var other = ReservationMeasurements()
        other.flow = "forward.0.cross_traffic.1"
        record.measurements.reservations.append(other)
        var agreement = AgreementMeasurements(commander: "tv", value: 7, traitors: 1)
        agreement.decisions = ["tv", "phone"].map { .init(node: $0, value: 7, isLoyal: true) }
        record.measurements.agreement = agreement
        record.checks = [try Check(parsing: "flows.packets.late == 0").result(in: record.document)]
        record.artifacts = [Artifact(path: "sent.ts", bytes: 188, sha256: "00")]
        return record
    }

    /// Nothing in any list.
    private func emptyRecord() -> RunRecord {
        var record = Fixture.record()
        record.measurements = RunMeasurements()
        return record
    }

    private func session(planned: RunRecord, _ checks: [String]) throws -> RunSession {
        let (console, _) = try scratch.console()
        var session = RunSession(RunRequest(scenario: "evening"), console: console) { _ in
            PreparedRun(identity: planned.identity, scenarioText: "", planned: { planned }) { _, _ in
                RunOutcome(measurements: planned.measurements, status: .completed)
            }
        }
        session.checks = checks
        session.out = scratch.path + "/run"
        return session
    }

    @Test("There are thirteen lists, and each has a number")
    func lists() {
        #expect(
            ListedNumber.all.map(\.list) == [
                "flows", "substreams", "calls", "lip_sync", "playout", "clocks", "links", "agreement.decisions",
                "reservations", "transport_stream", "quality", "qos.checks", "artifacts",
            ])
        #expect(ListedNumber.all.allSatisfy { !$0.selectors.isEmpty })
    }

    @Test("A name in brackets that is not in its list is wrong usage before anything runs", arguments: ListedNumber.all)
    func unknownElement(_ number: ListedNumber) throws {
        for record in [try fullRecord(), emptyRecord()] {
            for name in ["nobody", "17"] {
                let expression = "\(number.list)[\(name)]\(number.number) == 0"
                let error = #expect(throws: UserFacingError.self, "\(expression)") {
                    try session(planned: record, [expression]).run()
                }
                #expect(error?.exitStatus == 64)
                #expect(error?.description.contains("\(number.list) has no '\(name)'") == true)
                #expect(FileTree.kind(of: scratch.path + "/run") == nil)
            }
        }
    }

    @Test("An empty list without a name in brackets does not pass", arguments: ListedNumber.all)
    func emptyList(_ number: ListedNumber) throws {
        let record = emptyRecord()
        #expect(try session(planned: record, ["\(number.list)\(number.number) == 0"]).run() == 3)
        let check = try Check(parsing: "\(number.list)\(number.number) != 0")
        #expect(try !check.result(in: record.document).passed)
    }

    @Test("A name that does not exist is wrong usage, in every list", arguments: ListedNumber.all)
    func unknownName(_ number: ListedNumber) throws {
        let error = #expect(throws: UserFacingError.self) {
            try session(planned: try fullRecord(), ["\(number.list).nothing == 0"]).run()
        }
        #expect(error?.exitStatus == 64)
        let comparison = #expect(throws: UserFacingError.self) {
            try MetricPath(parsing: number.list + ".nothing").kind()
        }
        #expect(comparison?.exitStatus == 64)
    }

    @Test("The label of an element selects it, and no other", arguments: ListedNumber.all)
    func labels(_ number: ListedNumber) throws {
        let document = try fullRecord().document
        let labels = ListLabels(of: [document])
        let all = try Metric(parsing: number.list + number.number).values(in: document, labels: labels)
        #expect(!all.isEmpty)
        for value in all {
            let alone = try Metric(parsing: value.label).values(in: document, labels: labels)
            #expect(alone == [value], "\(value.label)")
        }
    }

    @Test("Every name has a label and a sentence")
    func sentences() {
        var count = 0
        walk(Catalog.root, "") { path, node in
            count += 1
            #expect(!node.label.isEmpty && node.definition.hasSuffix(".") && !node.definition.contains("\n"), "\(path)")
            #expect(Set(node.children.map(\.name)).count == node.children.count, "\(path)")
        }
        #expect(count > 300)
    }

    @Test("The reference has every number, in lines of 80 columns")
    func reference() throws {
        let (console, streams) = try scratch.console()
        #expect(try MetricsSession(nil, console: console).run() == 0)
        let text = try streams().out
        #expect(text.split(separator: "\n").allSatisfy { displayWidth(String($0)) <= 80 })
        for name in ["flows[id|receiver]", "flows.packets.late ", "loss ", "flows.loss_runs.N", "tr101290.PCR_error"] {
            #expect(text.contains(name), "\(name)")
        }
        let (second, secondStreams) = try scratch.console()
        var session = MetricsSession(nil, console: second)
        session.json = true
        #expect(try session.run() == 0)
        let document = try JSONValue(parsing: Array(try secondStreams().out.utf8))
        #expect(document["schema"] == "rubato.metrics/1")
        let names = document["metrics"]?.elements?.compactMap { $0["name"]?.string } ?? []
        walk(Catalog.root, "") { path, node in
            if node.kind != nil { #expect(names.contains(path), "\(path)") }
        }
        #expect(Set(names).count == names.count)
        for metric in document["metrics"]?.elements ?? [] {
            let name = try #require(metric["name"]?.string).replacing(".N", with: ".1")
            if name == "validity.warnings" {
                #expect(throws: UserFacingError.self) { try Metric(parsing: name).kind }
                continue
            }
            let kind = try Metric(parsing: name).kind
            #expect(metric["unit"] == JSONValue(kind.unit.name) && metric["definition"]?.string != nil)
        }
    }

    @Test(
        "A name is found by its path, with or without elements, or by its end",
        arguments: [
            ("flows.packets.late", ["flows.packets.late"]), ("flows[tv].packets.late", ["flows.packets.late"]),
            ("loss", ["loss"]), ("late", ["flows.packets.late", "substreams.presented.late"]),
            ("flows.pdv_ns.p99", ["flows.pdv_ns.p99"]), ("accuracy_ns.p5", []),
            ("within.ebu_r37", ["lip_sync.within.ebu_r37"]), ("flows.loss_runs.3", ["flows.loss_runs.3"]),
        ])
    func found(_ name: String, _ paths: [String]) throws {
        guard !paths.isEmpty else {
            #expect(throws: UserFacingError.self) { try CatalogReference(of: name) }
            return
        }
        let reference = try CatalogReference(of: name)
        #expect(reference.document["metrics"]?.elements?.compactMap { $0["name"]?.string } == paths)
        #expect(reference.text(isColoured: false).contains(paths[0]))
    }

    @Test(
        "An unknown name is wrong usage, with the nearest",
        arguments: [("lat", "flows.packets.late"), ("flows.packets.lost", "lost_link"), ("los", "'loss'")])
    func unknownReference(_ name: String, _ part: String) throws {
        let error = #expect(throws: UserFacingError.self) { try CatalogReference(of: name) }
        #expect(error?.exitStatus == 64)
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test(
        "Warnings are worded here",
        arguments: [
            (RunWarning.nothingArrived(receiver: "tv"), "tv: nothing arrived"),
            (
                .reservationRefused(flow: "program", link: "forward.1", reason: "it has no room"),
                "program: forward.1 refused the reservation: it has no room; nothing was sent"
            ),
            (
                .stoodStill(receiver: "tv", substream: "video", span: .milliseconds(2_999)),
                "tv: 'video' stood still for the last 2 s of the program"
            ),
            (
                .minimumDelayTooLong(node: "tv", roundTrip: .milliseconds(40), minimumDelay: .milliseconds(25)),
                "tv: a round trip took 40.0 ms, less than twice clocks.synchronization.cristian.minimum_delay, 25.0 ms: "
                    + "the bound claimed of its clock does not hold"
            ),
            (
                .multiplexedTooLate(units: 3),
                "3 units were multiplexed after their decoding time: raise sender.mux_rate"
            ),
        ])
    func warnings(_ warning: RunWarning, _ text: String) {
        var record = Fixture.record()
        record.measurements.warnings = [warning]
        #expect(record.document["validity"]?["warnings"] == [.string(text)])
        #expect(Summary(of: record, path: nil, isColoured: false).text.contains(text))
    }
}
