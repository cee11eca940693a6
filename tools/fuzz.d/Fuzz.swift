import Analysis
import Capture
import Glibc
import Timebase

// Built plainly it goes through damaged copies of files, one after the other: every prefix, and flipped bits. Built with
// -D FUZZER and libFuzzer it looks for bytes that no file has. See tools/fuzz and tools/checks/malformed.sh.

#if FUZZER
    @_silgen_name("LLVMFuzzerRunDriver")
    func runDriver(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32

    /// Which dissector; a C function cannot carry it along. Set once, before the fuzzer begins.
    nonisolated(unsafe) private var chosen: (RawSpan) -> Void = { _ in }

    @main
    enum Fuzz {
        static func main() {
            let name = getenv("FUZZ_TARGET").map { String(cString: $0) }
            guard let target = dissectors.first(where: { $0.name == name }) else {
                print(dissectors.map(\.name).joined(separator: "\n"))
                return
            }
            chosen = target.read
            var count = CommandLine.argc
            var arguments = CommandLine.unsafeArgv
            exit(
                runDriver(&count, &arguments) { bytes, count in
                    chosen(UnsafeRawBufferPointer(start: bytes, count: count).bytes)
                    return 0
                })
        }
    }
#else
    @main
    enum Fuzz {
        static func main() throws {
            let arguments = CommandLine.arguments
            guard arguments.count > 3, let number = Int(arguments[2]) else {
                print("usage: fuzz prefixes LIMIT FILE... | fuzz flips ROUNDS FILE...")
                exit(64)
            }
            for path in arguments[3...] {
                let bytes = try contents(path)
                switch arguments[1] {
                case "prefixes": try prefixes(bytes, limit: number, path)
                default: flips(bytes, rounds: number, path)
                }
            }
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            print("peak_kb \(usage.ru_maxrss)")
        }

        private static func contents(_ path: String) throws -> [UInt8] {
            let descriptor = open(path, O_RDONLY)
            guard descriptor >= 0 else { throw SystemError(operation: "read", path: path, code: errno) }
            defer { close(descriptor) }
            let size = Int(lseek(descriptor, 0, SEEK_END))
            return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = max(pread(descriptor, buffer.baseAddress, size, 0), 0)
            }
        }

        /// Reads the first `count` bytes of a file for every count: all up to the limit, of a longer file the last and
        /// some hundreds between. Prints how many were read without a word of being cut: those that end with a
        /// packet.
        private static func prefixes(_ bytes: [UInt8], limit: Int, _ path: String) throws {
            let descriptor = memoryFile()
            defer { close(descriptor) }
            _ = write(descriptor, bytes, bytes.count)
            let copy = "/proc/self/fd/\(descriptor)"
            var read = 0
            var refused = 0
            var silent = 0
            var most: Int64 = 0
            // What a large file costs each time makes them fewer.
            let step = max(997, bytes.count / 100)
            let tail = min(limit / 8, 20_000_000 / max(bytes.count, 1) + 32)
            for count in (0...bytes.count).reversed() {
                guard count <= limit || bytes.count - count < tail || count % step == 0 else { continue }
                ftruncate(descriptor, count)
                read += 1
                do {
                    let analysis = try CaptureAnalysis(reading: [copy])
                    let input = analysis.inputs[0]
                    most = max(most, input.packets)
                    let ends: [SkipReason] = [.truncatedFile, .damagedCompression]
                    if !input.skipped.contains(where: { ends.contains($0.reason) }) { silent += 1 }
                } catch is NotACapture {
                    refused += 1
                }
            }
            print("prefixes \(read) refused \(refused) silent \(silent) packets \(most) \(path)")
        }

        /// Damages copies of a file's beginning, a few bits or bytes each, and gives them to the whole analysis.
        private static func flips(_ bytes: [UInt8], rounds: Int, _ path: String) {
            let beginning = Array(bytes.prefix(100_000))
            let key = DrawKey(seed: 1).named(path)
            for round in 0..<Int64(rounds) {
                var copy = beginning
                for place in 0...Int64(key.draw(round * 100) % 12) {
                    let draw = key.draw(round * 100 + place + 1)
                    // Half of the damage to the first packets and the file's own headers.
                    let reach = draw & 1 == 0 ? copy.count : min(copy.count, 400)
                    guard reach > 0 else { continue }
                    let index = Int(draw >> 8) % reach
                    switch draw >> 1 & 3 {
                    case 0, 1: copy[index] ^= 1 << UInt8(draw >> 3 & 7)
                    case 2: copy[index] = 0xff
                    default: copy[index] = 0
                    }
                }
                dissectors[0].read(copy.span.bytes)
            }
            print("flips \(rounds) \(path)")
        }
    }
#endif
