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

    /// Which files are written.
    struct Wanted {
        var sent: Bool
        var received: Bool
        /// What was presented: how the file's name begins, and which times it has.
        var presented: (name: String, timing: MediaFile.Timing)?
    }

    /// - Throws: ``SystemError``.
    init(_ wanted: Wanted, _ configuration: WorldConfiguration, in directory: RunDirectory) throws {
        sessions = SessionMedia(configuration)
        let receivers = configuration.receivers.indices
        if sessions == nil {
            if wanted.sent { sentPackets = try directory.create("sent.ts") }
            if wanted.received {
                receivedPackets = try receivers.map {
                    try directory.create(Self.path("received", $0, ".ts", configuration))
                }
            }
        }
        func file(_ name: String, _ receiver: Int?, _ timing: MediaFile.Timing) throws -> MediaFile {
            try MediaFile(configuration, timing, sessions) { suffix in
                try directory.create(Self.path(name, receiver, suffix, configuration))
            }
        }
        if sessions != nil, wanted.sent { sent = try file("sent", nil, .captured) }
        if sessions != nil, wanted.received { received = try receivers.map { try file("received", $0, .captured) } }
        if let (name, timing) = wanted.presented { presented = try receivers.map { try file(name, $0, timing) } }
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

    /// - Parameter receiver: nil of what is nobody's own.
    static func path(
        _ name: String, _ receiver: Int?, _ suffix: String, _ configuration: WorldConfiguration
    ) -> String {
        guard let receiver, configuration.receivers.count > 1 else { return name + suffix }
        return "\(name)-\(RunDirectory.fileName(configuration.receivers[receiver].id))\(suffix)"
    }

    /// Writes what an effect has for the files.
    func take(_ output: WorldOutput, of world: borrowing World) {
        switch output {
        case .begun(let unit): sessions?.add(unit)
        case .sentMedia(let packet):
            let payload = world.payload(of: packet)
            sentPackets?.write(UnsafeRawBufferPointer(rebasing: payload[world.mediaHeaderLength...]))
            sent?.take(datagram: payload, session: Int(packet.flow))
        case .releasedMedia(let packet, let receiver): take(packet, world, receiver: receiver)
        case .presented(let unit): if !presented.isEmpty { presented[unit.receiver].take(unit) }
        default: break
        }
    }

    /// A receiver's playout buffer has released a datagram.
    private func take(_ packet: Packet, _ world: borrowing World, receiver: Int) {
        let payload = world.payload(of: packet)
        let media = UnsafeRawBufferPointer(rebasing: payload[world.mediaHeaderLength...])
        if !receivedPackets.isEmpty { receivedPackets[receiver].write(media) }
        if !received.isEmpty { received[receiver].take(datagram: payload, session: Int(packet.flow)) }
        guard !presented.isEmpty else { return }
        if sessions == nil {
            presented[receiver].take(packets: media)
        } else {
            presented[receiver].take(datagram: payload, session: Int(packet.flow))
        }
    }

    /// - Throws: the first failure, ``SystemError``.
    func close() throws {
        try sentPackets?.close()
        for file in receivedPackets { try file.close() }
        for file in [sent].compactMap(\.self) + received + presented { try file.close() }
    }
}
