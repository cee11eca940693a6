import Capture
@testable import Emulator
import Glibc
@testable import Results
import Sessions
import TestSupport
import Testing
import Timebase

@Suite("Files")
struct FileTests {
    @Test(
        "SHA-256 equals the published vectors (FIPS 180-4 examples)",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(_ text: String, _ digest: String) {
        #expect(SHA256.hexadecimalDigest(of: Array(text.utf8)) == digest)
    }

    @Test("A million letters in a file, read in pieces, have the published digest")
    func longFile() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("a", String(repeating: "a", count: 1_000_000))
        let artifact = try Artifact(path: "a", in: scratch.path)
        #expect(artifact.bytes == 1_000_000)
        #expect(artifact.sha256 == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("Whatever the sizes of the pieces, the file has every byte in order", arguments: [64, 100, 4096])
    func pieces(_ bufferSize: Int) throws {
        let scratch = try ScratchDirectory()
        let file = try OutputFile(path: scratch.path + "/f", bufferSize: bufferSize)
        var expected: [UInt8] = []
        for length in [1, 63, 64, 65, 0, 200, 10_000, 3] {
            let piece = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ length) }
            file.write(piece)
            expected += piece
            file.write(byte: 0x2c)
            expected.append(0x2c)
        }
        #expect(file.byteCount == Int64(expected.count))
        try file.close()
        try file.close()
        #expect(try FileTree.contents(of: scratch.path + "/f") == expected)
    }

    @Test("Numbers are written in decimal", arguments: [0, 7, -1, 10, 1_234_567_890, Int64.max, Int64.min])
    func decimals(_ value: Int64) throws {
        let scratch = try ScratchDirectory()
        let file = try OutputFile(path: scratch.path + "/f")
        file.write(decimal: value)
        try file.close()
        #expect(try scratch.text("f") == value.description)
    }

    @Test("A full disk is told when the buffer is written, with the remedy, and once")
    func fullDisk() throws {
        let file = try OutputFile(path: "/dev/full", bufferSize: 64)
        for _ in 0..<100 { file.write("twenty bytes of text") }
        #expect(file.failure?.code == ENOSPC)
        let error = #expect(throws: SystemError.self) { try file.close() }
        #expect(error?.message == "cannot write /dev/full: No space left on device")
        #expect(error?.remedy?.contains("free some space") == true)
    }

    @Test("A full disk is told even when everything fitted the buffer")
    func fullDiskAtClose() throws {
        let file = try OutputFile(path: "/dev/full")
        file.write("small")
        #expect(file.failure == nil)
        #expect(throws: SystemError.self) { try file.close() }
    }

    @Test("A file that cannot be created says so")
    func cannotCreate() throws {
        let scratch = try ScratchDirectory()
        let error = #expect(throws: SystemError.self) { try OutputFile(path: scratch.path + "/none/f") }
        #expect(error?.code == ENOENT)
    }

    @Test("series.csv and packets.csv have the contract's columns")
    func tables() throws {
        let scratch = try ScratchDirectory()
        let series = SeriesWriter(try OutputFile(path: scratch.path + "/series.csv"))
        let queue = SeriesWriter.Column(entity: "forward.0", metric: "queue_delay", unit: "ns")
        let odd = SeriesWriter.Column(entity: "a,\"b\"", metric: "share", unit: "ratio")
        series.append(at: 100_000_000, queue, Int64(12_345))
        series.append(at: 200_000_000, odd, 0.1)
        series.append(at: 200_000_000, odd, .nan)
        try series.close()
        #expect(
            try scratch.text("series.csv") == """
                t_ns,entity,metric,value,unit
                100000000,forward.0,queue_delay,12345,ns
                200000000,"a,""b""\",share,0.1,ratio
                200000000,"a,""b""\",share,,ratio

                """)
        let packets = PacketsWriter(try OutputFile(path: scratch.path + "/packets.csv"))
        let flow = PacketsWriter.Flow(flow: "program", receiver: "tv")
        func instant(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }
        packets.append(
            flow,
            PacketRecord(
                number: 0, length: 1356, sent: instant(10), arrived: instant(20), released: instant(30), fate: .used))
        packets.append(flow, PacketRecord(number: 1, length: 1356, sent: instant(11), fate: .droppedQueue))
        try packets.close()
        #expect(
            try scratch.text("packets.csv") == """
                flow,receiver,sequence,length,sent,arrived,released,fate
                program,tv,0,1356,10,20,30,used
                program,tv,1,1356,11,,,dropped_queue

                """)
    }
}

@Suite("Run directory")
struct RunDirectoryTests {
    @Test("It appears under its name only when it is complete")
    func atomic() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path + "/runs/r1"
        let directory = try RunDirectory(path: path, force: false)
        try directory.write("run.json", "{}")
        try directory.write("capture/sender.pcap", "x")
        #expect(FileTree.kind(of: path) == nil)
        #expect(directory.workingPath == scratch.path + "/runs/.r1.partial-\(getpid())")
        #expect(try directory.finish(as: path) == path)
        #expect(try FileTree.files(under: path) == ["capture/sender.pcap", "run.json"])
        #expect(try FileTree.names(in: scratch.path + "/runs") == ["r1"])
    }

    @Test("What is not finished is gone, with the parents made for it")
    func discarded() throws {
        let scratch = try ScratchDirectory()
        do {
            let directory = try RunDirectory(path: scratch.path + "/a/b/r1", force: false)
            try directory.write("sent.ts", "x")
        }
        #expect(try FileTree.names(in: scratch.path).isEmpty)
    }

    @Test("An existing directory is refused, and stays as it is")
    func exists() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("r1/run.json", "old")
        let error = #expect(throws: UserFacingError.self) {
            try RunDirectory(path: scratch.path + "/r1/", force: false)
        }
        #expect(error?.exitStatus == 64)
        #expect(error?.description.contains("--force") == true)
        #expect(try scratch.text("r1/run.json") == "old")
        #expect(try FileTree.names(in: scratch.path) == ["r1"])
    }

    @Test("One that comes into being during the run is not overwritten")
    func race() throws {
        let scratch = try ScratchDirectory()
        let directory = try RunDirectory(path: scratch.path + "/r1", force: false)
        try scratch.write("r1/run.json", "other")
        #expect(throws: UserFacingError.self) { try directory.finish(as: scratch.path + "/r1") }
        #expect(try scratch.text("r1/run.json") == "other")
        #expect(try FileTree.names(in: scratch.path) == ["r1"])
    }

    @Test("With force the old run stays until the new one is complete")
    func force() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("r1/run.json", "old")
        try scratch.write("r1/sent.ts", "old")
        let directory = try RunDirectory(path: scratch.path + "/r1", force: true)
        try directory.write("run.json", "new")
        #expect(try scratch.text("r1/run.json") == "old")
        _ = try directory.finish(as: scratch.path + "/r1")
        #expect(try FileTree.files(under: scratch.path) == ["r1/run.json"])
        #expect(try scratch.text("r1/run.json") == "new")
    }

    @Test("Force does not replace what is no run")
    func forceRefuses() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("home/letter.txt", "dear")
        try scratch.write("file", "x")
        for name in ["home", "file"] {
            // Nor is it suggested.
            for force in [true, false] {
                let error = #expect(throws: UserFacingError.self) {
                    try RunDirectory(path: scratch.path + "/" + name, force: force)
                }
                #expect(error?.description.contains("is not a run directory") == true)
            }
        }
        #expect(try scratch.text("home/letter.txt") == "dear")
    }

    @Test("No directory can be a run", arguments: [".", "..", "/", "a/..", ""])
    func impossible(_ path: String) {
        let error = #expect(throws: UserFacingError.self) { try RunDirectory(path: path, force: true) }
        #expect(error?.exitStatus == 64)
    }

    @Test("A parent that is a file is told")
    func parentIsFile() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("f", "x")
        let error = #expect(throws: SystemError.self) { try RunDirectory(path: scratch.path + "/f/r1", force: false) }
        #expect(error?.code == ENOTDIR)
        #expect(error?.remedy?.contains("--out") == true)
    }

    @Test("An unwritable parent is told", .enabled(if: geteuid() != 0, "root may write anywhere"))
    func unwritable() throws {
        let scratch = try ScratchDirectory()
        chmod(scratch.path, 0o500)
        defer { chmod(scratch.path, 0o700) }
        let error = #expect(throws: SystemError.self) { try RunDirectory(path: scratch.path + "/r1", force: false) }
        #expect(error?.code == EACCES)
    }

    @Test("A name made by the program that is taken gets a number")
    func numbered() throws {
        let scratch = try ScratchDirectory()
        for expected in ["r", "r-2", "r-3"] {
            let directory = try RunDirectory(parent: scratch.path, provisionalName: "r")
            #expect(try directory.finish(as: scratch.path + "/r", mayNumber: true) == scratch.path + "/" + expected)
        }
    }

    @Test(
        "A scenario's name becomes a file name",
        arguments: [
            ("evening-dsl", "evening-dsl"), ("a b/c", "a-b-c"), ("../etc", "etc"), ("", "run"), ("...", "run"),
            ("é", "run"), ("tv.1_x", "tv.1_x"),
        ])
    func names(_ name: String, _ file: String) {
        #expect(RunDirectory.fileName(name) == file)
    }
}
