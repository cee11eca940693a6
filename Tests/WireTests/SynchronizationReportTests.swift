import Testing
import Timebase

@testable import Wire

@Suite("Reports and settings of inter-destination synchronization (RFC 7272)")
struct SynchronizationReportTests {
    /// By the figure of §6: BT 12, SPST 1 and P in the second byte, seven words; the payload type in the upper seven bits.
    static let reportBytes: [UInt8] = [
        0x80, 207, 0x00, 0x09, 0x11, 0x22, 0x33, 0x44,
        12, 0x11, 0x00, 0x07, 33 << 1, 0, 0, 0, 0, 0, 0, 9, 0x55, 0x66, 0x77, 0x88,
        0xe1, 0xb6, 0x5d, 0x80, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x5f, 0x90, 0x5d, 0x80, 0x80, 0x00,
    ]
    static var report: SynchronizationReport {
        var report = SynchronizationReport(ssrc: 0x1122_3344, source: 0x5566_7788, group: 9)
        report.payloadType = 33
        report.received = NTPTimestamp(rawValue: 0xe1b6_5d80_4000_0000)
        report.rtpTimestamp = 90_000
        report.presented = 0x5d80_8000
        return report
    }

    /// By the figure of §7.
    static let settingsBytes: [UInt8] = [
        0x80, 211, 0x00, 0x08, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0, 0, 9,
        0xe1, 0xb6, 0x5d, 0x80, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x5f, 0x90,
        0xe1, 0xb6, 0x5d, 0x80, 0x80, 0x00, 0x00, 0x00,
    ]
    static var settings: SynchronizationSettings {
        var settings = SynchronizationSettings(ssrc: 0x1122_3344, source: 0x5566_7788, group: 9)
        settings.received = NTPTimestamp(rawValue: 0xe1b6_5d80_4000_0000)
        settings.rtpTimestamp = 90_000
        settings.presented = NTPTimestamp(rawValue: 0xe1b6_5d80_8000_0000)
        return settings
    }

    @Test func theReportIsAnExtendedReportWithOneBlock() throws {
        #expect(RTCPCompound([Self.report.packet]).bytes == Self.reportBytes)
        let compound = try RTCPCompound(parsing: Self.reportBytes.span.bytes, allowsReducedSize: true)
        #expect(compound.packets.map { SynchronizationReport($0) } == [Self.report])
        #expect(compound.packets.compactMap { SynchronizationSettings($0) }.isEmpty)
    }

    @Test func whatHasNotBeenPresentedHasNoFlag() throws {
        var report = Self.report
        report.presented = nil
        let bytes = RTCPCompound([report.packet]).bytes
        #expect(bytes[9] == 0x10 && bytes.suffix(4) == [0, 0, 0, 0])
        let compound = try RTCPCompound(parsing: bytes.span.bytes, allowsReducedSize: true)
        #expect(compound.packets.map { SynchronizationReport($0) } == [report])
    }

    @Test func aBlockBehindOthersIsFound() throws {
        var bytes = Self.reportBytes
        // A receiver reference time block (RFC 3611 §4.4) before it: 12 bytes.
        bytes.insert(contentsOf: [4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8], at: 8)
        bytes[3] += 3
        let compound = try RTCPCompound(parsing: bytes.span.bytes, allowsReducedSize: true)
        #expect(compound.packets.map { SynchronizationReport($0) } == [Self.report])
    }

    @Test func theSettingsHaveBothTimesInFull() throws {
        #expect(RTCPCompound([Self.settings.packet]).bytes == Self.settingsBytes)
        let compound = try RTCPCompound(parsing: Self.settingsBytes.span.bytes, allowsReducedSize: true)
        #expect(compound.packets.map { SynchronizationSettings($0) } == [Self.settings])
        #expect(compound.packets.compactMap { SynchronizationReport($0) }.isEmpty)
    }

    @Test func whatIsCutIsNone() throws {
        for count in stride(from: 8, to: Self.reportBytes.count, by: 4) {
            var bytes = Array(Self.reportBytes.prefix(count))
            bytes[3] = UInt8(count / 4 - 1)
            let compound = try RTCPCompound(parsing: bytes.span.bytes, allowsReducedSize: true)
            #expect(compound.packets.compactMap { SynchronizationReport($0) }.isEmpty)
        }
        for count in stride(from: 4, to: Self.settingsBytes.count, by: 4) {
            var bytes = Array(Self.settingsBytes.prefix(count))
            bytes[3] = UInt8(count / 4 - 1)
            let compound = try RTCPCompound(parsing: bytes.span.bytes, allowsReducedSize: true)
            #expect(compound.packets.compactMap { SynchronizationSettings($0) }.isEmpty)
        }
    }
}
