/// Presets about telephone calls.
extension Preset {
    static let voip = Preset(
        "voip", "A telephone call between two homes: 20 ms packets of G.711, 60 ms of playout; one direction of it.",
        source:
            "Numbers: 150 ms is ITU-T G.114's, 50 ms Y.1541's of class 0; delays, jitter and loss are our choice.",
        program: """
            program:
              substreams:
                - id: speech
                  kind: audio
                  synthetic: { codec: g711, frame_duration: 20ms }   # try { codec: opus, bitrate: 24 kbit/s }

            """,
        """
        sender:
          carriage: rtp-separate
          classes: { audio: EF }
        network:
          forward:
            # The caller's line; 80 kbit/s do not fill it, and what shares it is not in this.
            - delay: 5ms
            # The providers' networks.
            - delay: 20ms
              jitter: { normal: { deviation: 4ms } }
              loss: { gilbert_elliott: { loss: 0.5%, mean_burst: 2 } }
            # The other one's line.
            - delay: 5ms
          reverse:
            - delay: 5ms
            - delay: 20ms
              jitter: { normal: { deviation: 4ms } }
            - delay: 5ms
        clocks:
          receivers: { offset: 35ms, frequency: 40 ppm }
        receivers:
          - id: phone
            playout: { fixed: 60ms }
        qos:
          session_setup_delay: '<= 1s'
          end_to_end_delay: '<= 150ms'
          round_trip_delay: '<= 150ms'
          jitter: '<= 50ms'
          loss: '<= 2%'
          presented: '>= 98%'
        """)
}
