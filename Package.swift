// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library target of this package, with the settings that all of them share.
func library(_ name: String, _ dependencies: [Target.Dependency], _ more: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + more)
}

/// For modules whose state is in classes of one thread: a third of a capture's analysis went into finding out, at run
/// time, that nobody else was writing to it. Debug builds, and so all tests, still find out.
let singleThreaded: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let arrays = Target.Dependency.product(name: "BasicContainers", package: "swift-collections")

// Read from top to bottom: nothing depends on a row below it. Sources/README.md says what each holds.
let package = Package(
    name: "rubato",
    products: [.executable(name: "rubato", targets: ["rubato"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        library("Timebase", [deque]),
        library("Wire", ["Timebase"]),
        library("Media", ["Timebase", "Wire"]),
        library("Protection", ["Timebase"]),
        library("Sender", ["Media", "Protection", "Timebase", "Wire", deque]),
        library("NetworkEmulation", ["Timebase", deque]),
        library("ClockSync", ["Timebase", "Wire"]),
        library("Receiver", ["Protection", "Timebase", "Wire", deque]),
        library("Metrics", ["Timebase", "Wire"]),
        library(
            "Emulator",
            [
                "ClockSync", "Media", "Metrics", "NetworkEmulation", "Protection", "Receiver", "Sender", "Timebase",
                "Wire", arrays, deque,
            ]),
        library(
            "Scenario",
            [
                "ClockSync", "Emulator", "Media", "Metrics", "NetworkEmulation", "Protection", "Receiver", "Sender",
                "Timebase", "Wire", "Yams",
            ]),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        library("Capture", ["CPcap", "CZlib", "Timebase", "Wire"], singleThreaded),
        library("Analysis", ["Capture", "Metrics", "Receiver", "Timebase", "Wire"], singleThreaded),
        library(
            "Results",
            [
                "Analysis", "CCrypto", "Capture", "Emulator", "Media", "Metrics", "Receiver", "Scenario", "Sender",
                "Timebase", "Wire", "Yams", deque,
            ]),
        library("Lab", ["Emulator", "Metrics", "NetworkEmulation", "Results", "Scenario", "Timebase"]),
        library(
            "Sessions",
            ["Analysis", "Capture", "Emulator", "Lab", "Metrics", "Results", "Scenario", "Timebase", "Wire"]),
        .executableTarget(
            name: "rubato",
            dependencies: [
                "Capture", "Results", "Sessions",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["Capture", "Results", "Sessions"], path: "Tests/TestSupport",
            swiftSettings: settings),
        tests("Timebase", ["Timebase"]),
        tests("Wire", ["Timebase", "Wire"]),
        tests("Media", ["Media", "Timebase", "Wire"]),
        tests("Protection", ["Metrics", "NetworkEmulation", "Protection", "Timebase"]),
        tests("Sender", ["Media", "Protection", "Sender", "Timebase", "Wire"]),
        tests("NetworkEmulation", ["Metrics", "NetworkEmulation", "Timebase"]),
        tests("ClockSync", ["ClockSync", "Metrics", "NetworkEmulation", "Timebase", "Wire"]),
        tests("Receiver", ["Media", "Protection", "Receiver", "Sender", "Timebase", "Wire"]),
        tests("Metrics", ["Metrics", "Timebase", "Wire"]),
        tests(
            "Emulator",
            [
                "ClockSync", "Emulator", "Media", "Metrics", "NetworkEmulation", "Protection", "Receiver", "Sender",
                "Timebase", "Wire",
            ]),
        tests("Scenario", ["Emulator", "Metrics", "NetworkEmulation", "Scenario", "Timebase"], exclude: ["Reference"]),
        tests("Capture", ["Capture", "Timebase", "Wire"]),
        tests("Analysis", ["Analysis", "Capture", "Metrics", "Results", "Sessions", "Timebase", "Wire"]),
        tests(
            "Results",
            [
                "Capture", "Emulator", "Media", "Metrics", "Results", "Scenario", "Sessions", "TestSupport", "Timebase",
                "Wire",
            ]),
        tests("Lab", ["Emulator", "Lab", "Results", "Scenario", "Sessions", "TestSupport", "Timebase"]),
    ]
)

// The fuzzer is nobody's to build who does not run it: see tools/fuzz.
if Context.environment["RUBATO_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["Analysis", "Capture", "Metrics", "Receiver", "Timebase", "Wire"],
            path: "tools/fuzz.d", swiftSettings: settings))
}

// Likewise what only tools/gate runs.
if Context.environment["RUBATO_GATE"] != nil {
    package.targets.append(
        .executableTarget(
            name: "worlds", dependencies: ["Emulator", "Metrics", "Scenario", "Timebase"], path: "tools/gate.d",
            swiftSettings: settings))
}

// The laws of networks and of clocks are judged over millions of packets and exchanges: optimized, and of the rooms that
// takes alone (tools/test).
if Context.environment["RUBATO_LAWS"] != nil {
    let rooms = [
        "Timebase", "Wire", "Metrics", "NetworkEmulation", "ClockSync", "NetworkEmulationTests", "ClockSyncTests",
    ]
    package.products = []
    package.targets.removeAll { !rooms.contains($0.name) }
}
