import Timebase

/// The NAL units of the synthetic video: Main profile, CAVLC, 176×144, one slice a picture, no residual anywhere.
///
/// I macroblocks are Intra_16x16 with DC prediction, so the picture is grey; P and B pictures skip every macroblock. The
/// bulk of a picture's bytes is an SEI message with user data, which decoders step over.
enum H264Bitstream {
    static let macroblocks = 99
    /// Pictures after which frame_num, and half of those after which the picture order count, begin again.
    static let frameNumberBits: UInt64 = 8
    static let orderCountBits: UInt64 = 16

    /// What names our user data (ITU-T H.264 §D.2.6), an RFC 9562 UUID of version 8. No byte of it is 0x00.
    static let userDataIdentifier: [UInt8] = [
        0x52, 0x75, 0x62, 0x61, 0x74, 0x6f, 0x8d, 0x65, 0xa4, 0x6c, 0x66, 0x69, 0x6c, 0x6c, 0x65, 0x72,
    ]

    /// Access unit delimiter; says which slice types may follow (table 7-5).
    static func delimiter(_ type: FrameType) -> [UInt8] {
        var writer = BitWriter(header: 0x09, zeroByte: true)
        writer.put(type == .intra ? 0 : type == .predicted ? 1 : 2, bits: 3)
        writer.finish()
        return writer.bytes
    }

    static func sequenceParameterSet(rate: UnitRate, bitRate: BitRate, isReordered: Bool) -> [UInt8] {
        var writer = BitWriter(header: 0x67, zeroByte: true)
        writer.put(77, bits: 8)  // profile_idc: Main
        writer.put(0x40, bits: 8)  // constraint_set1_flag: Main indeed
        writer.put(level(bitRate), bits: 8)
        writer.putExponentialGolomb(0)  // seq_parameter_set_id
        writer.putExponentialGolomb(frameNumberBits - 4)
        writer.putExponentialGolomb(0)  // pic_order_cnt_type
        writer.putExponentialGolomb(orderCountBits - 4)
        writer.putExponentialGolomb(2)  // max_num_ref_frames
        writer.put(false)  // gaps_in_frame_num_value_allowed_flag
        writer.putExponentialGolomb(10)  // 11 macroblocks wide
        writer.putExponentialGolomb(8)  // 9 high
        writer.put(true)  // frame_mbs_only_flag
        writer.put(true)  // direct_8x8_inference_flag
        writer.put(false)  // frame_cropping_flag
        writer.put(true)  // vui_parameters_present_flag
        writer.put(0, bits: 4)  // neither aspect ratio, overscan, video signal type nor chroma location
        putTiming(rate, to: &writer)
        writer.put(0, bits: 3)  // neither NAL nor VCL HRD parameters; pic_struct_present_flag
        writer.put(true)  // bitstream_restriction_flag
        writer.put(true)  // motion_vectors_over_pic_boundaries_flag
        for value: UInt64 in [0, 0, 10, 10, isReordered ? 1 : 0, 2] { writer.putExponentialGolomb(value) }
        writer.finish()
        return writer.bytes
    }

    /// Two ticks a frame (§E.2.1), when 32 bits can say it.
    private static func putTiming(_ rate: UnitRate, to writer: inout BitWriter) {
        let common = greatestCommonDivisor(rate.span.nanoseconds, 2_000_000_000)
        let (ticks, scale) = (rate.span.nanoseconds / common, 2_000_000_000 / common)
        let again = greatestCommonDivisor(ticks, rate.count)
        let timeScale = scale.multipliedReportingOverflow(by: rate.count / again)
        let isPresent = !timeScale.overflow && timeScale.partialValue < 1 << 32 && ticks / again < 1 << 32
        writer.put(isPresent)
        guard isPresent else { return }
        writer.put(UInt64(ticks / again), bits: 32)
        writer.put(UInt64(timeScale.partialValue), bits: 32)
        writer.put(true)  // fixed_frame_rate_flag
    }

    /// The least level whose MaxBR holds the rate (table A-1), from 1 to 5.2.
    private static func level(_ bitRate: BitRate) -> UInt64 {
        let limits: [(level: UInt64, kilobits: UInt64)] = [
            (10, 64), (11, 192), (12, 384), (13, 768), (20, 2_000), (21, 4_000), (30, 10_000), (31, 14_000),
            (32, 20_000),
            (41, 50_000), (50, 135_000),
        ]
        return limits.first { bitRate.bitsPerSecond <= $0.kilobits * 1_000 }?.level ?? 52
    }

    static var pictureParameterSet: [UInt8] {
        var writer = BitWriter(header: 0x68, zeroByte: true)
        writer.putExponentialGolomb(0)  // pic_parameter_set_id
        writer.putExponentialGolomb(0)  // seq_parameter_set_id
        writer.put(0, bits: 2)  // CAVLC; no bottom field order
        for _ in 0..<3 { writer.putExponentialGolomb(0) }  // one slice group; one reference of either list
        writer.put(0, bits: 3)  // no weighted prediction
        for _ in 0..<3 { writer.putExponentialGolomb(0) }  // initial QP 26, no chroma offset
        writer.put(0b100, bits: 3)  // deblocking controlled by the slice; not constrained intra; no redundant pictures
        writer.finish()
        return writer.bytes
    }

    /// Recovery point SEI (§D.2.8): decoding can begin at this picture, exactly.
    static let recoveryPoint: [UInt8] = [0, 0, 1, 0x06, 6, 1, 0xc4, 0x80]

    /// What a slice header says.
    struct Slice {
        var type: FrameType
        var isInstantaneousRefresh: Bool
        /// idr_pic_id: another one than that of the last such picture.
        var refreshParity: Bool
        var frameNumber: UInt8
        var orderCount: UInt16
    }

    /// The slice of a whole picture (§7.3.3, §7.3.4).
    static func slice(_ slice: Slice, zeroByte: Bool) -> BitWriter {
        // NAL unit type 5 or 1; nal_ref_idc 3 for I, 2 for P, 0 for B, to which nothing refers.
        let header: UInt8 =
            slice.isInstantaneousRefresh ? 0x65 : slice.type == .intra ? 0x61 : slice.type == .predicted ? 0x41 : 0x01
        var writer = BitWriter(header: header, zeroByte: zeroByte)
        writer.putExponentialGolomb(0)  // first_mb_in_slice
        writer.putExponentialGolomb(slice.type == .intra ? 7 : slice.type == .predicted ? 5 : 6)
        writer.putExponentialGolomb(0)  // pic_parameter_set_id
        writer.put(UInt64(slice.frameNumber), bits: frameNumberBits)
        if slice.isInstantaneousRefresh { writer.putExponentialGolomb(slice.refreshParity ? 1 : 0) }
        writer.put(UInt64(slice.orderCount), bits: orderCountBits)
        if slice.type == .bidirectional {
            writer.put(0b1000, bits: 4)  // spatial direct prediction; default reference counts and orders of both lists
        } else {
            if slice.type == .predicted { writer.put(0b00, bits: 2) }  // default count and order
            writer.put(0, bits: slice.isInstantaneousRefresh ? 2 : 1)  // sliding window
        }
        writer.putExponentialGolomb(0)  // slice_qp_delta
        writer.putExponentialGolomb(1)  // no deblocking
        if slice.type == .intra {
            // mb_type 3, chroma prediction DC, no change of QP, no luma DC coefficient: 00100 1 1 1.
            for _ in 0..<macroblocks { writer.put(0b0010_0111, bits: 8) }
        } else {
            writer.putExponentialGolomb(UInt64(macroblocks))  // mb_skip_run
        }
        writer.finish()
        return writer
    }
}
