// Where values go, and what the slots say of it.

extension Histogram {
    /// The bucket of a value: its own number in units of the resolution below 1024, above that 512 to an octave. Negative
    /// values mirror the others: that of −1 − v is −1 − that of v.
    @inlinable
    static func bucket(of value: Int64, _ resolutionBits: UInt64 = 0) -> Int {
        let sign = value &>> 63
        let distance = UInt64(bitPattern: value ^ sign) &>> resolutionBits
        let shift = 54 &- (distance | 512).leadingZeroBitCount
        let bucket = shift &<< 9 &+ Int(truncatingIfNeeded: distance &>> UInt64(truncatingIfNeeded: shift))
        return bucket ^ Int(sign)
    }

    /// How many of a value's lowest bits its bucket does not tell.
    private static func hiddenBits(of bucket: Int, _ resolutionBits: UInt64) -> UInt64 {
        let position = UInt64(bitPattern: Int64(bucket ^ bucket >> 63))
        return (position < 1024 ? 0 : position >> 9 - 1) + resolutionBits
    }

    /// The value of a bucket whose hidden bits are these, counted from where the bucket begins nearest to zero.
    private static func value(of bucket: Int, hidden: UInt64, _ resolutionBits: UInt64) -> Int64 {
        let sign = Int64(bucket >> 63)
        let position = UInt64(bitPattern: Int64(bucket) ^ sign)
        let shift = position < 1024 ? 0 : position >> 9 - 1
        return Int64(bitPattern: (position - shift << 9) << (shift + resolutionBits) | hidden) ^ sign
    }

    /// The smallest and the largest value that fall into a bucket.
    static func values(of bucket: Int, _ resolutionBits: UInt64 = 0) -> ClosedRange<Int64> {
        let all: UInt64 = 1 << hiddenBits(of: bucket, resolutionBits) - 1
        let nearest = value(of: bucket, hidden: 0, resolutionBits)
        let farthest = value(of: bucket, hidden: all, resolutionBits)
        return min(nearest, farthest)...max(nearest, farthest)
    }

    /// The middle of what may have been added to a bucket: less than half the bucket is wide away from any value in it.
    ///
    /// - Parameter range: where else the value must lie; a bucket that was shifted may lie beside it.
    func middle(of bucket: Int, within range: ClosedRange<Int64>? = nil) -> Int64 {
        var values = possibleValues(of: bucket)
        if let range { values = values.clamped(to: range) }
        // Their distance is one bucket's width at most.
        return values.lowerBound + (values.upperBound - values.lowerBound) / 2
    }

    private func possibleValues(of bucket: Int) -> ClosedRange<Int64> {
        let all = Self.values(of: bucket, resolutionBits)
        return max(all.lowerBound, least)...min(all.upperBound, greatest)
    }

    /// Puts values into a bucket.
    ///
    /// - Parameter value: nil for values that are not known to be all the same.
    @usableFromInline
    @inline(never)
    mutating func put(_ times: UInt64, of value: Int64?, in bucket: Int) {
        makeChunk(bucket >> 6)
        let index = self.index(of: bucket)
        let held = contents(of: slots[index], bucket)
        if let value, held.count == 0 || held.sole == value {
            setSole(value, count: held.count + times, index, bucket)
        } else {
            setMixed(held.count + times, index, bucket)
        }
    }

    private func index(of bucket: Int) -> Int { Int(directory[bucket >> 6 - firstChunk]) << 6 | bucket & 63 }

    /// What a slot says: how many values, without carries, and which if they are all the same.
    private func contents(of slot: UInt16, _ bucket: Int) -> (count: UInt64, sole: Int64?) {
        switch slot >> 14 {
        case 0: return (UInt64(slot) + carried(bucket), nil)
        case 1:
            let sole = soles[Int(slot & 0x3fff)]
            return (UInt64(sole.count), sole.value)
        default: return (1, Self.value(of: bucket, hidden: UInt64(slot & 0x7fff), resolutionBits))
        }
    }

    private mutating func setSole(_ value: Int64, count: UInt64, _ index: Int, _ bucket: Int) {
        let hidden = Self.hiddenBits(of: bucket, resolutionBits)
        let slot = slots[index]
        if count == 1, hidden <= 15 {
            let distance = UInt64(bitPattern: value ^ value >> 63)
            slots[index] = 0x8000 | UInt16(distance & (1 << hidden - 1))
        } else if slot >> 14 == 1 {
            soles[Int(slot & 0x3fff)].count = Int64(clamping: count)
        } else if soles.count < 0x4000 {
            slots[index] = 0x4000 | UInt16(soles.count)
            soles.append(Sole(value: value, count: Int64(clamping: count)))
        } else {
            setMixed(count, index, bucket)
        }
    }

    private mutating func setMixed(_ count: UInt64, _ index: Int, _ bucket: Int) {
        if slots[index] >> 14 == 1 { removeSole(Int(slots[index] & 0x3fff)) }
        let rounds = count < 0x4000 ? 0 : (count - 0x2000) >> 13
        slots[index] = UInt16(count - rounds << 13)
        if rounds > 0 { setCarry(bucket, rounds: UInt32(clamping: rounds)) }
    }

    /// Puts the last of the sole values in a place that is no longer needed.
    private mutating func removeSole(_ place: Int) {
        let last = soles.removeLast()
        guard place < soles.count else { return }
        soles[place] = last
        slots[index(of: Self.bucket(of: last.value, resolutionBits))] = 0x4000 | UInt16(place)
    }

    /// The place of a bucket's carry, or where it would be.
    private func carryIndex(_ bucket: Int) -> Int {
        var (low, high) = (0, carries.count)
        while low < high {
            let middle = (low + high) / 2
            if carries[middle].bucket < Int32(bucket) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func carried(_ bucket: Int) -> UInt64 {
        let index = carryIndex(bucket)
        guard index < carries.count, carries[index].bucket == Int32(bucket) else { return 0 }
        return UInt64(carries[index].rounds) << 13
    }

    private mutating func setCarry(_ bucket: Int, rounds: UInt32) {
        let index = carryIndex(bucket)
        if index < carries.count, carries[index].bucket == Int32(bucket) {
            carries[index].rounds = rounds
        } else {
            carries.insert(Carry(bucket: Int32(bucket), rounds: rounds), at: index)
        }
    }

    private mutating func makeChunk(_ chunk: Int) {
        let octave = 8  // chunks; the directory grows by as many, so that it grows seldom
        if directory.isEmpty {
            firstChunk = chunk - octave / 2
            directory = Array(repeating: Self.noChunk, count: octave)
        } else if chunk < firstChunk {
            let more = firstChunk - chunk + octave - 1
            directory = Array(repeating: Self.noChunk, count: more) + directory
            firstChunk -= more
        } else if chunk >= firstChunk + directory.count {
            let more = chunk - firstChunk - directory.count + octave
            directory = directory + Array(repeating: Self.noChunk, count: more)
        }
        guard directory[chunk - firstChunk] == Self.noChunk else { return }
        directory[chunk - firstChunk] = UInt16(slots.count >> 6)
        // The allocator rounds capacities up, so that they need not be whole chunks.
        if slots.count + 64 > slots.capacity {
            // By an eighth, not by the doubling of arrays: memory counts here, and it happens a few dozen times at most.
            slots.reserveCapacity(slots.count + max(2 * 64, slots.count / 8 & ~63))
        }
        slots.append(contentsOf: repeatElement(0, count: 64))
    }

    /// Visits all buckets that hold something, in ascending order of value, until `visit` says false.
    ///
    /// - Parameter visit: gets the bucket, how many values it holds, and the value, if they are all the same.
    func forEachBucket(_ visit: (_ bucket: Int, _ count: UInt64, _ sole: Int64?) -> Bool) {
        for (offset, chunk) in directory.enumerated() where chunk != Self.noChunk {
            for position in 0..<64 {
                let slot = slots[Int(chunk) << 6 | position]
                guard slot > 0 else { continue }
                let bucket = (firstChunk + offset) << 6 | position
                let (count, sole) = contents(of: slot, bucket)
                if !visit(bucket, count, sole) { return }
            }
        }
    }

    /// Visits what was added, bin by bin in ascending order, until `visit` says false: the values that may have been
    /// added, within minimum...maximum, and how many were. A bin of one value is told as that value alone.
    public func forEachBin(_ visit: (_ values: ClosedRange<Int64>, _ count: UInt64) -> Bool) {
        forEachBucket { bucket, count, sole in
            visit(sole.map { $0...$0 } ?? possibleValues(of: bucket), count)
        }
    }
}
