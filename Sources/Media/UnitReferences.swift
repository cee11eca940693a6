/// What a unit refers to and what may refer to it: all that a decoder's dependence on earlier units is followed by.
///
/// Pictures are taken to refer to every reference picture since the last refresh before them, as their slice headers
/// alone would say which ones they do.
@frozen
public struct UnitReferences: Sendable, BitwiseCopyable, Hashable {
    /// What has to be there for a unit.
    enum Needs: UInt8, Sendable {
        /// Itself alone: an I picture, a unit of sound or of data.
        case nothing
        /// The references since the latest refresh, that included.
        case recent
        /// References before the latest refresh as well: a leading picture (H.265 RASL; B pictures of an open group).
        case across
    }

    /// Where what came before no longer matters.
    enum Refresh: UInt8, Sendable {
        /// No such unit.
        case none
        /// To the units that are presented after it; leading pictures refer across it: H.265 CRA, H.264 I picture with
        /// a recovery point or parameter sets, I picture of an open group.
        case open
        /// Likewise, but what leading pictures refer to is not there: H.265 BLA, broken_link of MPEG-2.
        case broken
        /// To all units: IDR, I picture of a closed group.
        case instantaneous
    }

    /// All of it in one word: a unit is handed on whole for every packet, and what has many parts is handed on slowly.
    private var word: UInt32 = 0

    var needs: Needs {
        get { Needs(rawValue: field(0, 0x3)) ?? .nothing }
        set { set(0, 0x3, newValue.rawValue) }
    }
    var refresh: Refresh {
        get { Refresh(rawValue: field(2, 0x3)) ?? .none }
        set { set(2, 0x3, newValue.rawValue) }
    }
    /// Whether later units may refer to it.
    var isReferred: Bool {
        get { field(4, 0x1) == 1 }
        set { set(4, 0x1, newValue ? 1 : 0) }
    }
    /// Whether it brings the parameter sets (H.264, H.265) or the sequence header (MPEG-2) that decoding begins with.
    var bringsParameters: Bool {
        get { field(5, 0x1) == 1 }
        set { set(5, 0x1, newValue ? 1 : 0) }
    }
    /// Whether the order of presentation is counted from it: an IDR picture of H.264, whose order count is 0.
    var restartsOrder: Bool {
        get { field(6, 0x1) == 1 }
        set { set(6, 0x1, newValue ? 1 : 0) }
    }
    /// recovery_frame_cnt of a recovery point (ITU-T H.264 §D.2.8) that is no refresh at once: so many references later
    /// all is there; 0 for none.
    var recoveryCount: UInt16 {
        get { UInt16(truncatingIfNeeded: word >> 16) }
        set { word = word & 0xFFFF | UInt32(newValue) << 16 }
    }

    private func field(_ shift: UInt32, _ mask: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: word >> shift & mask) }

    private mutating func set(_ shift: UInt32, _ mask: UInt32, _ value: UInt8) {
        word = word & ~(mask << shift) | UInt32(value) << shift
    }

    init(needs: Needs, refresh: Refresh = .none, isReferred: Bool, bringsParameters: Bool = false) {
        self.needs = needs
        self.refresh = refresh
        self.isReferred = isReferred
        self.bringsParameters = bringsParameters
    }

    /// What neither needs anything nor is needed: sound, data, and what is carried opaque.
    @usableFromInline static let independent = Self(needs: .nothing, isReferred: false)
    /// A P picture.
    static let predicted = Self(needs: .recent, isReferred: true)
    /// A B picture to which nothing refers.
    static let disposable = Self(needs: .recent, isReferred: false)
    /// A B picture of an open group, presented before the I picture that it comes behind.
    static let leading = Self(needs: .across, isReferred: false)

    /// An I picture that decoding can begin with.
    static func intra(_ refresh: Refresh) -> Self {
        Self(needs: .nothing, refresh: refresh, isReferred: true, bringsParameters: true)
    }

    /// The same of a unit whose parameter sets were lost.
    public var withoutParameters: Self {
        var result = self
        result.bringsParameters = false
        return result
    }

    /// The same as an IDR picture of H.264.
    var restartingOrder: Self {
        var result = self
        result.restartsOrder = true
        return result
    }

    /// Whether it can be decoded before any other has been.
    public var canBegin: Bool { refresh != .none || needs == .nothing && !isReferred }
}
