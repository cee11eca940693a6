import Capture
import ArgumentParser
import Glibc
import Results
import Sessions

@main
enum Main {
    static func main() {
        Interrupt.ignoreBrokenPipes()
        do {
            var command = try Rubato.parseAsRoot()
            try command.run()
        } catch {
            exit(report(error))
        }
    }

    /// Tells the user in one message and gives the exit status.
    private static func report(_ error: any Error) -> Int32 {
        let console = Console.system()
        switch error {
        case let error as UserFacingError:
            console.message(error.description)
            return error.exitStatus
        case let error as SystemError:
            console.message(error.explanation)
            return ExitStatus.failure
        default: break
        }
        let status = Rubato.exitCode(for: error).rawValue
        let text = Rubato.fullMessage(for: error)
        if status == ExitStatus.success {
            console.result(text + "\n")
            return console.failure == nil ? status : ExitStatus.failure
        }
        let prefix = "Error: "
        console.message(text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text)
        return status
    }
}
