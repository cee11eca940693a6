import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Trace and table files")
struct TraceReadingTests {
    private static func bps(_ rate: UInt64) -> BitRate { BitRate(bitsPerSecond: rate) }

    /// The rate between two instants, seen from outside.
    private static func rate(of trace: RateTrace, at nanoseconds: Int64) -> UInt64 {
        var credit: UInt128 = 0
        let end = trace.end(of: 1, from: Instant(nanoseconds: nanoseconds), credit: &credit)
        let span = UInt128(end.nanoseconds - nanoseconds)
        // One bit took span ns, and credit is what the last of them had over.
        return UInt64((1_000_000_000 + credit) / span)
    }

    @Test(
        "a rate trace is read the same in every spelling",
        arguments: [
            "0,1000000\n0.5,2500000\n1.25,0\n", "time_s,rate_bps\n0,1000000\n0.5,2500000\n1.25,0",
            "time,rate\r\n0,1e6\r\n5e-1,2.5e6\r\n1.25,0\r\n",
            "# made by hand\n\n0\t1000000\n 0.5  2500000 # fast\n1.25 0\n",
            "\u{feff}time_ms;rate_kbps\n0;1000\n500;2500\n1250;0\n",
            "id,rate_Mbps,note,Time_us\n1,1,a,0\n2,2.5,\"\",500000\n3,0,,1250000\n",
            "\"time_ns\",\"rate_Gbps\"\n0,.001\n500000000,2.5e-3\n1250000000,0.\n",
        ])
    func rates(text: String) throws {
        let trace = try RateTrace(csv: Array(text.utf8))
        for (at, rate) in [
            (0, 1_000_000), (499_000_000, 1_000_000), (500_000_000, 2_500_000), (1_249_000_000, 2_500_000),
        ] {
            #expect(Self.rate(of: trace, at: Int64(at)) == UInt64(rate))
        }
        var credit: UInt128 = 0
        #expect(trace.end(of: 1, from: Instant(nanoseconds: 1_250_000_000), credit: &credit) == .distantFuture)
        // (0.5 · 1 + 0.75 · 2.5) / 1.25 Mbit/s, and half of that on average when as long again nothing is sent.
        #expect(trace.meanRate() == Self.bps(1_900_000) && trace.span == .milliseconds(1_250))
        #expect(trace.meanRate(until: .milliseconds(2_500)) == Self.bps(950_000))
        let repeating = try RateTrace(csv: Array(text.utf8), repeatingEvery: .seconds(2))
        #expect(Self.rate(of: repeating, at: 2_600_000_000) == 2_500_000 && repeating.span == .seconds(2))
    }

    @Test("an HSDPA trace is exact to the nanosecond and the bit/s, and its last rate lasts as long as the one before")
    func hsdpa() throws {
        let text = "0.0\t4.03768755221\r\n0.549999952316\t4.79283060109\r\n0.879999876022 4.49231799163\r\n"
        let trace = try RateTrace(hsdpa: Array(text.utf8))
        #expect(Self.rate(of: trace, at: 0) == 4_037_688 && Self.rate(of: trace, at: 549_999_951 - 300) == 4_037_688)
        #expect(Self.rate(of: trace, at: 549_999_952) == 4_792_831)
        #expect(Self.rate(of: trace, at: 879_999_876) == 4_492_318)
        // 879,999,876 + (879,999,876 − 549,999,952).
        #expect(trace.span == .nanoseconds(1_209_999_800))
        #expect(Self.rate(of: trace, at: 1_209_999_800) == 4_037_688)
        // A piece's last bits are sent at its rate: (549,999,952 · 4,037,688) / 10^9 = 2,220,728.2 bits.
        var credit: UInt128 = 0
        #expect(trace.end(of: 2_220_728, from: .zero, credit: &credit).nanoseconds <= 549_999_952)
        credit = 0
        #expect(trace.end(of: 2_220_729, from: .zero, credit: &credit).nanoseconds > 549_999_952)
    }

    @Test("losses are read as digits, one a line or many")
    func losses() throws {
        for text in ["0\n0\n1\n0\n1\n", "00101", "0 0 1 0 1", "0,0,1\r\n0,1\r\n", "# fates\n001 # here\n\n01"] {
            let list = try ListedLoss(trace: Array(text.utf8))
            let once = try ListedLoss(trace: Array(text.utf8), repeats: false, mediaOnly: true)
            for number in 0..<20 as Range<UInt32> {
                #expect(list.isLost(Packet(number: number)) == [false, false, true, false, true][Int(number % 5)])
                #expect(once.isLost(Packet(number: number, flow: 1, marks: .media)) == [2, 4].contains(number))
                #expect(!once.isLost(Packet(number: number, flow: 1)))
            }
        }
    }

    @Test("delays are milliseconds, or what their header says, rounded to the nanosecond")
    func delays() throws {
        let milliseconds = try ValueTable(delays: Array("12.5\n-3\n0.0000005\n1e2\n".utf8))
        #expect(milliseconds.values == [12_500_000, -3_000_000, 1, 100_000_000])
        let seconds = try ValueTable(delays: Array("packet,delay_s\n0,0.0125\n1,1e-3\n".utf8))
        #expect(seconds.values == [12_500_000, 1_000_000])
    }

    @Test("arrivals are times and lengths")
    func arrivals() throws {
        let trace = try ArrivalTrace(csv: Array("time_s,bytes\n0.5,1200\n0.5,40\n2.25,1500\n".utf8))
        #expect(trace.arrivals.map(\.time) == [.milliseconds(500), .milliseconds(500), .milliseconds(2_250)])
        #expect(trace.arrivals.map(\.length) == [1_200, 40, 1_500] && trace.span == .milliseconds(2_250))
    }

    @Test("an empirical law is its points, straight between them, exact at its jumps and gaps")
    func empirical() throws {
        let table = try EmpiricalTable(
            empirical: Array("value_ms,probability\n1,0.25\n2,0.5\n2,0.75\n10,0.75\n12,1\n".utf8))
        func value(_ probability: Double) -> Int64 { table.value(at: UInt64(probability * 0x1p64)) }
        // A quarter lies at 1 itself, a quarter between 1 and 2, a quarter at 2; nothing between 2 and 10.
        #expect(value(0) == 1_000_000 && value(0.2499) == 1_000_000 && value(0.375) == 1_500_000)
        #expect(value(0.5) == 2_000_000 && value(0.7499) == 2_000_000 && value(0.75) == 10_000_000)
        #expect(value(0.875) == 11_000_000 && table.value(at: .max) == 12_000_000)
        // A sample, in any order: each value equally likely.
        let sample = try EmpiricalTable(empirical: Array("5\n1\n-3\n5\n".utf8))
        #expect([0, 1, 2, 3].map { sample.value(at: $0 << 62) } == [-3, 1, 5, 5].map { $0 * 1_000_000 })
        #expect([1, 2, 3].map { sample.value(at: $0 << 62 - 1) } == [-3, 1, 5].map { $0 * 1_000_000 })
        #expect(sample.value(at: .max) == 5_000_000)
        #expect(EmpiricalTable([]) == nil && EmpiricalTable([(.seconds(1), 0), (.zero, 1)]) == nil)
        #expect(EmpiricalTable([(.zero, 0.1), (.seconds(1), 0.9)]) == nil)
    }

    @Test("an iproute2 table is scaled as netem does, and sorted")
    func distribution() throws {
        let text = "# a comment 7\n-8192 -4096\t0  1\r\n4096 8192 # 12 \n\n32767 -32768\n"
        let table = try ValueTable(dist: Array(text.utf8), deviation: .milliseconds(1))
        // 1 · 10^6 / 8192 = 122.07; 32767 · 10^6 / 8192 = 3,999,877.93.
        #expect(table.values == [-4_000_000, -1_000_000, -500_000, 0, 122, 500_000, 1_000_000, 3_999_878])
    }

    /// A reader of bytes, whatever it makes of them.
    private static func reader(_ name: String) -> ([UInt8]) throws -> Void {
        switch name {
        case "csv": { _ = try RateTrace(csv: $0) }
        case "repeating": { _ = try RateTrace(csv: $0, repeatingEvery: .seconds(2)) }
        case "hsdpa": { _ = try RateTrace(hsdpa: $0) }
        case "loss": { _ = try ListedLoss(trace: $0) }
        case "delay": { _ = try ValueTable(delays: $0) }
        case "empirical": { _ = try EmpiricalTable(empirical: $0) }
        case "arrival": { _ = try ArrivalTrace(csv: $0) }
        case "dist": { _ = try ValueTable(dist: $0, deviation: .milliseconds(1)) }
        default: { _ = try OpportunityTrace(mahimahi: $0) }
        }
    }

    private static let readers = [
        "csv", "repeating", "hsdpa", "loss", "delay", "empirical", "arrival", "dist", "mahimahi",
    ]

    static let problems: [(String, String, String)] = [
        ("csv", "", "expected at least one row: rows of time_s,rate_bps"),
        ("csv", "time_s,rate_bps\n", "expected at least one row: rows of time_s,rate_bps"),
        ("csv", "0,1\n1\n", "line 2: '1' is not valid; expected rows of time_s,rate_bps"),
        ("csv", "0,1,2\n", "line 1: '0,1,2' is not valid; expected rows of time_s,rate_bps"),
        ("csv", "0,1\n1,2,3\n", "line 2: '1,2,3' is not valid; expected rows of time_s,rate_bps"),
        ("csv", "a,time_s,rate_bps\n0,0,1\n0,1\n", "line 3: '0,1' is not valid; expected rows of time_s,rate_bps"),
        (
            "csv", "time_h,rate_bps\n",
            "line 1: 'time_h,rate_bps' is not valid; expected a column time_s or time_ms or time_us or time_ns"
        ),
        (
            "csv", "0,1\n\n# half\nx,2\n", "line 4: 'x' is not valid; expected time in s, from 0 to 10000000 s"
        ),
        ("csv", "0,1\n1,-1\n", "line 2: '-1' is not valid; expected rate in bps, from 0 to 1 Tbit/s"),
        ("csv", "0,1000000000001\n", "line 1: '1000000000001' is not valid; expected rate in bps, from 0 to 1 Tbit/s"),
        (
            "csv", "time_ms,rate_Mbps\n0,1e400\n",
            "line 2: '1e400' is not valid; expected rate in Mbps, from 0 to 1 Tbit/s"
        ),
        ("csv", "0,1\n2,1\n2,1\n", "line 3: '2' is not valid; expected time above the row above's"),
        ("csv", "1,1\n", "line 1: expected 0 as the first time"),
        ("csv", "0,1 Mbit/s\n", "line 1: '1 Mbit/s' is not valid; expected rate in bps, from 0 to 1 Tbit/s"),
        (
            "csv", "0,\u{1b}[31mred" + String(repeating: "!", count: 50),
            "line 1: '\u{fffd}[31mred" + String(repeating: "!", count: 29)
                + "...' is not valid; expected rate in bps, from 0 to 1 Tbit/s"
        ),
        ("repeating", "0,1\n2,1\n", "line 2: expected a time before 2000000000 ns, the period"),
        ("repeating", "0,0\n1,0\n", "expected a rate above 0 in a trace that repeats"),
        ("hsdpa", "0.0 1\n", "expected at least two rows of time_s rate_Mbps"),
        ("hsdpa", "0.0 1\n1 2x\n", "line 2: '2x' is not valid; expected rate in Mbps, from 0 to 1 Tbit/s"),
        ("hsdpa", "0.0 1\n-1 2\n", "line 2: '-1' is not valid; expected time in s, from 0 to 10000000 s"),
        ("loss", "# nothing\n", "expected at least one packet: 0 or 1"),
        ("loss", "0\n1 0 2 1\n", "line 2: '2 1' is not valid; expected 0 or 1 for every packet"),
        ("delay", "1\n\n2 3\n", "line 3: '2 3' is not valid; expected rows of delay_ms"),
        ("delay", "3600001", "line 1: '3600001' is not valid; expected delay in ms, from -1 h to 1 h"),
        ("delay", "1\nnan\n", "line 2: 'nan' is not valid; expected delay in ms, from -1 h to 1 h"),
        ("empirical", "1,0\n2,1.5\n", "line 2: '1.5' is not valid; expected probability, from 0 to 1"),
        ("empirical", "1,0\n2\n", "line 2: '2' is not valid; expected rows of value_ms,probability"),
        ("empirical", "1,0\n2,0.5\n3,0.4\n4,1\n", "line 3: expected a probability not below the row above's"),
        ("empirical", "1,0\n0,1\n", "line 2: expected a value not below the row above's"),
        ("empirical", "1,0\n2,0.99\n", "line 2: expected 1 as the last probability"),
        ("arrival", "0,0\n", "line 1: '0' is not valid; expected bytes, from 1 to 65535"),
        ("arrival", "0.2,1\n0.1,1\n", "line 2: '0.1' is not valid; expected time not below the row above's"),
        ("arrival", "time_s\n", "line 1: 'time_s' is not valid; expected a column bytes"),
        ("dist", "# 1", "expected at least one number"),
        ("dist", "1\nx", "line 2: 'x' is not valid; expected a whole number from -32768 to 32767"),
        ("dist", "40000", "line 1: '40000' is not valid; expected a whole number from -32768 to 32767"),
        ("dist", "1.5", "line 1: '1.5' is not valid; expected a whole number from -32768 to 32767"),
        (
            "dist", String(repeating: "7 ", count: 16_384) + "\n8",
            "line 2: '8' is not valid; expected at most 16384 numbers"
        ),
        ("mahimahi", "", "expected at least one line of whole milliseconds"),
        ("mahimahi", "0\n0\n", "line 2: expected a last time above 0, the period"),
        ("mahimahi", "1\n\n2\n", "line 2: expected whole milliseconds from 0 to 1000000000000"),
        ("mahimahi", "1\n3\n2\n", "line 3: '2' is not valid; expected a time not below the line above's"),
        ("mahimahi", "1\n-3\n", "line 2: '-3' is not valid; expected whole milliseconds from 0 to 1000000000000"),
        ("mahimahi", "1.5", "line 1: '1.5' is not valid; expected whole milliseconds from 0 to 1000000000000"),
        (
            "mahimahi", "99999999999999999999",
            "line 1: '99999999999999999999' is not valid; expected whole milliseconds from 0 to 1000000000000"
        ),
    ]

    @Test("a file with an error names the line, what stands there and what was expected", arguments: problems)
    func problem(reader: String, text: String, message: String) {
        for bytes in [Array(text.utf8), Array(text.replacing("\n", with: "\r\n").utf8)] {
            let problem = #expect(throws: TraceProblem.self) { try Self.reader(reader)(bytes) }
            #expect(problem?.description == message)
        }
    }

    /// Bytes of any kind, and bytes such as such files have.
    @Test("no bytes are a trap", arguments: readers)
    func anyBytes(name: String) {
        let read = Self.reader(name)
        var random = TestRandom(17)
        let usual = Array("0123456789.,; \t\r\n-+eE#\"timedlaybpsrv_u\u{feff}".utf8)
        for round in 0..<3_000 {
            let bytes = (0..<random.below(60)).map { _ in
                round % 3 == 0 ? UInt8(truncatingIfNeeded: random.word()) : usual[Int(random.below(Int64(usual.count)))]
            }
            do {
                try read(bytes)
            } catch {
                #expect(error is TraceProblem)
            }
        }
        // Cut anywhere, a good file is a good one or names its problem.
        let whole = Array("time_s,rate_bps\r\n0,1e6\r\n1.5,2.25e6\r\n".utf8)
        for end in 0...whole.count { _ = try? read(Array(whole[..<end])) }
    }
}
