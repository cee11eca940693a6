import Emulator
import Metrics
import Scenario
import Timebase

/// Runs Worlds of one prepared program, one after the other: what many runs cost beside as many processes.
///
/// Usage: worlds SCENARIO DURATION COUNT. Prints each run's digest.
@main
struct Worlds {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let count = Int(arguments[3]) else {
            print("usage: worlds SCENARIO DURATION COUNT")
            return
        }
        let document = try ScenarioDocument.load(arguments[1])
        let duration = ScenarioSetting(path: "duration", value: arguments[2], option: "DURATION")
        let outputs = ScenarioSetting(path: "outputs", value: "{ media: none, series: none }", option: "outputs")
        let scenario = try document.resolve([duration, outputs])
        let program = try PreparedProgram(scenario, title: document.title)
        for _ in 0..<count {
            var world = World(try program.configuration(of: scenario))
            VirtualTime.run(&world)
            print(world.measurements().digest.hexadecimal)
        }
    }
}
