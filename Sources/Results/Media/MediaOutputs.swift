import Emulator
import Scenario
import Timebase

/// The media files of a run: what was sent, and what each receiver received and presented.
///
/// Of a multiplex the first two are the transport packets themselves. Where substreams have sessions of their own all are
/// made here, and G.711 goes into files of its own.
final class MediaOutputs {
    private let sessions: SessionMedia?
    private var sentPackets: OutputFile?
    private var receivedPackets: [OutputFile] = []
    private var sent: MediaFile?
    private var received: [MediaFile] = []
    private var presented: [MediaFile] = []

    /// - Throws: ``SystemError``.
    init(_ scenario: ExperimentScenario, _ configuration: WorldConfiguration, in directory: RunDirectory) throws {
        sessions = SessionMedia(configuration)
        let outputs = scenario.outputs
        func file(_ name: String, _ receiver: Int?, _ timing: MediaFile.Timing) throws -> MediaFile {
            try MediaFile(configuration, timing, sessions) { suffix in
                try directory.create(Self.path(name, receiver, suffix, configuration))
            }
        }
        let receivers = configuration.receivers.indices
        if sessions == nil {
            if outputs.sentMedia { sentPackets = try directory.create("sent.ts") }
            if outputs.receivedMedia {
                receivedPackets = try receivers.map {
                    try directory.create(Self.path("received", $0, ".ts", configuration))
                }
            }
        } else {
            if outputs.sentMedia { sent = try file("sent", nil, .captured) }
            if outputs.receivedMedia { received = try receivers.map { try file("received", $0, .captured) } }
        }
        if outputs.presentedMedia { presented = try receivers.map { try file("presented", $0, .presented) } }
    }

    /// The files that a run writes here, by their paths in its directory.
    static func paths(_ scenario: ExperimentScenario, _ configuration: WorldConfiguration) -> [String] {
        let outputs = scenario.outputs
        let suffixes = MediaFile.suffixes(configuration)
        var paths: [String] = []
        if outputs.sentMedia { paths += suffixes.map { path("sent", nil, $0, configuration) } }
        for (name, isWanted) in [("received", outputs.receivedMedia), ("presented", outputs.presentedMedia)]
        where isWanted {
            for receiver in configuration.receivers.indices {
                paths += suffixes.map { path(name, receiver, $0, configuration) }
            }
        }
        return paths
    }

    private static func path(
        _ name: String, _ receiver: Int?, _ suffix: String, _ configuration: WorldConfiguration
    ) -> String {
        guard let receiver, configuration.receivers.count > 1 else { return name + suffix }
        return "\(name)-\(RunDirectory.fileName(configuration.receivers[receiver].id))\(suffix)"
    }

    /// A unit of a session is sent: what its datagrams' timestamp means.
    func take(begun unit: BegunUnit) { sessions?.add(unit) }

    /// A datagram's payload goes out.
    func take(sent payload: UnsafeRawBufferPointer, headerLength: Int, session: Int) {
        sentPackets?.write(UnsafeRawBufferPointer(rebasing: payload[headerLength...]))
        sent?.take(datagram: payload, session: session)
    }

    /// A receiver's playout buffer releases a datagram's payload.
    func take(released payload: UnsafeRawBufferPointer, headerLength: Int, session: Int, receiver: Int) {
        let media = UnsafeRawBufferPointer(rebasing: payload[headerLength...])
        if !receivedPackets.isEmpty { receivedPackets[receiver].write(media) }
        if !received.isEmpty { received[receiver].take(datagram: payload, session: session) }
        guard !presented.isEmpty else { return }
        if sessions == nil {
            presented[receiver].take(packets: media)
        } else {
            presented[receiver].take(datagram: payload, session: session)
        }
    }

    func take(_ unit: PresentedUnit) {
        if !presented.isEmpty { presented[unit.receiver].take(unit) }
    }

    /// - Throws: the first failure, ``SystemError``.
    func close() throws {
        try sentPackets?.close()
        for file in receivedPackets { try file.close() }
        for file in [sent].compactMap(\.self) + received + presented { try file.close() }
    }
}
