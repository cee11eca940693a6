import Timebase

/// Puts the units of a file's substreams on one timeline without wraps and, where the clock jumps, without jumps.
struct ProgramTimeline {
    let stretches: [ProgramClock.Stretch]
    /// Where the unwrapping begins that no clock helps; the program's first timestamp.
    private let anchor: Int64?

    /// How far a timestamp may lie from both its neighbours, which agree, and yet be believed: 10 s.
    private static let believable: Int64 = 900_000
    /// One picture at 25 Hz, for a substream that has but one unit.
    private static let loneDuration: Int64 = 3_600

    init(_ clock: ProgramClock, _ substreams: [[PESAssembler.Unit]]) {
        stretches = clock.stretches
        anchor = substreams.lazy.joined().lazy.compactMap { $0.dts ?? $0.pts }.first
    }

    /// Whether any unit says when it is to be presented.
    var hasTimestamps: Bool { anchor != nil }

    /// The units with their times and durations.
    ///
    /// - Parameters:
    ///   - isContinuous: video or audio, in which a timestamp far from both neighbours is an error; such units are left
    ///     out.
    ///   - damaged: goes up by their number.
    func place(_ units: [PESAssembler.Unit], isContinuous: Bool, damaged: inout Int64) -> [RecordedUnit] {
        var placed: [RecordedUnit] = []
        placed.reserveCapacity(units.count)
        let lead = usualLead(units)
        var latest = anchor
        for unit in units {
            var recorded = RecordedUnit(
                offset: unit.offset, byteCount: unit.byteCount, headerByteCount: unit.headerByteCount, presentation: 0,
                decode: 0,
                isRandomAccess: unit.isRandomAccess, hasTimestamp: false)
            if let first = unit.dts ?? unit.pts {
                let (time, shift) = resolve(first, unit, after: latest ?? first, lead: lead)
                latest = time
                recorded.decode = time
                recorded.presentation = ProgramClock.nearest((unit.pts ?? first) + shift, to: time)
                recorded.shift = shift
                recorded.hasTimestamp = true
            } else if let clock = unit.clock {
                let stretch = min(unit.stretch, stretches.count - 1)
                recorded.decode = clock + stretches[stretch].offset
                recorded.presentation = recorded.decode
            }
            placed.append(recorded)
        }
        if isContinuous { damaged += Self.removeStrays(&placed) }
        Self.fillGaps(&placed)
        Self.setDurations(&placed)
        return placed
    }

    /// How far the substream's timestamps usually run ahead of the clock: the median. Matters only where it jumps.
    private func usualLead(_ units: [PESAssembler.Unit]) -> Int64 {
        guard stretches.count > 1 else { return 0 }
        let leads = units.compactMap { unit -> Int64? in
            guard let wrapped = unit.dts ?? unit.pts else { return nil }
            let clock = clock(of: unit, in: min(unit.stretch, stretches.count - 1))
            return ProgramClock.nearest(wrapped, to: clock) - clock
        }.sorted()
        return leads.isEmpty ? 0 : leads[leads.count / 2]
    }

    /// What a stretch's clock shows when a unit begins: held at its ends where the unit lies outside.
    private func clock(of unit: PESAssembler.Unit, in index: Int) -> Int64 {
        let stretch = stretches[index]
        let own = min(unit.stretch, stretches.count - 1)
        if index < own { return stretch.last }
        if index > own { return stretch.first }
        return min(max(unit.clock ?? stretch.first, stretch.first), stretch.last)
    }

    /// What a timestamp stands for on the timeline, and how far that is from it modulo 2^33.
    private func resolve(
        _ wrapped: Int64, _ unit: PESAssembler.Unit, after latest: Int64, lead: Int64
    ) -> (time: Int64, shift: Int64) {
        guard !stretches.isEmpty else { return (ProgramClock.nearest(wrapped, to: latest), 0) }
        // Streams are not cut at one place: around a jump a unit may belong to the stretch before or behind. It belongs
        // to the one whose clock it runs ahead of as usual.
        let own = min(unit.stretch, stretches.count - 1)
        var best: (distance: Int64, time: Int64, shift: Int64)?
        for index in [own, own - 1, own + 1] where stretches.indices.contains(index) {
            let expected = clock(of: unit, in: index) + lead
            let time = ProgramClock.nearest(wrapped, to: expected)
            if abs(time - expected) < best?.distance ?? .max {
                best = (abs(time - expected), time + stretches[index].offset, stretches[index].offset)
            }
        }
        return best.map { ($0.time, $0.shift) } ?? (wrapped, 0)
    }

    /// Takes out units whose timestamp lies far from both neighbours while these agree.
    private static func removeStrays(_ units: inout [RecordedUnit]) -> Int64 {
        let timed = units.indices.filter { units[$0].hasTimestamp }
        guard timed.count >= 3 else { return 0 }
        func isFar(_ a: Int, _ b: Int) -> Bool {
            abs(units[timed[a]].decode - units[timed[b]].decode) > believable
                || abs(units[timed[a]].presentation - units[timed[b]].presentation) > believable
        }
        var strays: Set<Int> = []
        for place in timed.indices {
            // The first and the last have both neighbours on one side.
            let (a, b) =
                place == 0 ? (1, 2) : place == timed.count - 1 ? (place - 2, place - 1) : (place - 1, place + 1)
            if isFar(place, a) && isFar(place, b) && !isFar(a, b) { strays.insert(timed[place]) }
        }
        guard !strays.isEmpty else { return 0 }
        units = units.indices.filter { !strays.contains($0) }.map { units[$0] }
        return Int64(strays.count)
    }

    /// Units without timestamps stand evenly between those around them; before the first, with it; behind the last, at
    /// the usual distance. When none has any, they stay where the clock puts them.
    private static func fillGaps(_ units: inout [RecordedUnit]) {
        let timed = units.indices.filter { units[$0].hasTimestamp }
        guard let first = timed.first, timed.count < units.count else { return }
        let usual = usualDistance(timed.map { units[$0].decode })
        for index in units.indices.prefix(first) {
            units[index].decode = units[first].decode
            units[index].presentation = units[first].presentation
        }
        for (place, start) in timed.enumerated() {
            let end = place + 1 < timed.count ? timed[place + 1] : units.count
            let distance = end < units.count ? units[end].decode - units[start].decode : usual * Int64(end - start)
            for index in units.indices[(start + 1)..<max(start + 1, end)] {
                let step = distance.scaled(by: Int64(index - start), over: Int64(end - start))
                units[index].decode = units[start].decode + step
                units[index].presentation = units[index].decode
            }
        }
    }

    /// The median of the distances from one to the next of `times`, in their order; 0 for fewer than two.
    static func usualDistance(_ times: [Int64]) -> Int64 {
        let distances = zip(times.dropFirst(), times).map { $0 - $1 }.sorted()
        return distances.isEmpty ? 0 : max(0, distances[distances.count / 2])
    }

    private static func setDurations(_ units: inout [RecordedUnit]) {
        let order = units.indices.sorted { (units[$0].presentation, $0) < (units[$1].presentation, $1) }
        let usual = usualDistance(order.map { units[$0].presentation })
        for (index, next) in zip(order, order.dropFirst()) {
            units[index].duration = units[next].presentation - units[index].presentation
        }
        if let last = order.last { units[last].duration = units.count == 1 ? loneDuration : usual }
    }
}
