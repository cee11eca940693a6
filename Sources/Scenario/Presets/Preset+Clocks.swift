/// Presets about clocks.
extension Preset {
    static let classroom = Preset(
        "classroom", "Five receivers in a room, two of whose clocks drift: what it takes to play together.",
        source: "Numbers: 80 and -60 ppm lie within what media devices are said to have; the rest is our choice.",
        """
        sender:
          carriage: ts-rtp
          mux_rate: auto
        network:
          forward:
            - rate: 100 Mbit/s
              queue: { drop_tail: { limit: 100 packets } }
              delay: 5ms
              jitter: { exponential: { mean: 500us } }
          reverse:
            - rate: 100 Mbit/s
              queue: { drop_tail: { limit: 100 packets } }
              delay: 5ms
              jitter: { exponential: { mean: 500us } }
        clocks:
          synchronization: { cristian: { poll: 5s, probes: 8 } }   # try none, ntp, regression, berkeley, averaging
        receivers:
          - { id: pc1, anchor: sender-clock, playout: { fixed: 100ms } }
          - { id: pc2, anchor: sender-clock, playout: { fixed: 100ms }, clock: { offset: 20ms } }
          - { id: pc3, anchor: sender-clock, playout: { fixed: 100ms }, clock: { offset: -15ms } }
          - { id: pc4, anchor: sender-clock, playout: { fixed: 100ms }, clock: { offset: 35ms, frequency: 80 ppm } }
          - { id: pc5, anchor: sender-clock, playout: { fixed: 100ms }, clock: { offset: -30ms, frequency: -60 ppm } }
        qos:
          end_to_end_delay: '<= 1s'
          round_trip_delay: '<= 50ms'
          loss: '<= 0.1%'
          presented: '>= 99%'
          lip_sync: 'within itu-bt1359 detectability for 99%'
        """)
}
