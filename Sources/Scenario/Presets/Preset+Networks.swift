extension Preset {
    static let perfect = Preset(
        "perfect", "No delay, no loss, no limit: what the program costs by itself.",
        source: "Numbers: none; the network does nothing.",
        """
        sender: { carriage: ts-rtp }
        network:
          forward:
            - delay: 0ms
        receivers:
          - id: tv
            playout: { fixed: 20ms }
        qos:
          bitrate: '>= 4 Mbit/s'
          jitter: '<= 0ms'
          loss: '<= 0%'
          lip_sync: 'within itu-bt1359 detectability for 99%'
        """)

    static let lan = Preset(
        "lan", "An idle switched Ethernet at home or in a studio.",
        source: "Numbers: 1 Gbit/s is 1000BASE-T (IEEE 802.3); 100 us for switches and network cards is our estimate.",
        """
        sender: { carriage: ts-rtp }
        network:
          forward:
            - rate: 1 Gbit/s
              queue: { drop_tail: { limit: 10 ms } }
              delay: 100us
              jitter: { uniform: { half_range: 20us } }
        receivers:
          - id: tv
            playout: { fixed: 20ms }
        clocks:
          receivers: { offset: 5ms, frequency: 10 ppm }
        qos:
          bitrate: '>= 4 Mbit/s'
          session_setup_delay: '<= 2s'
          end_to_end_delay: '<= 2s'
          round_trip_delay: '<= 5ms'
          jitter: '<= 1ms'
          loss: '<= 0%'
          lip_sync: 'within itu-bt1359 detectability for 99%'
        """)

    static let iptv = Preset(
        "iptv", "Managed television over a 10 Mbit/s access line, with an error now and then.",
        source: "Numbers: our choice throughout: twice the program's rate, and about five runs of losses an hour.",
        """
        sender:
          carriage: ts-rtp
          mux_rate: auto
        network:
          forward:
            # The access line; the provider's own network adds little of its own.
            - rate: 10 Mbit/s
              queue: { drop_tail: { limit: 100 ms } }
              delay: 15ms
              jitter: { normal: { deviation: 1ms } }
              loss: { gilbert_elliott: { loss: 0.001%, mean_burst: 3 } }
          reverse:
            - rate: 1 Mbit/s
              queue: { drop_tail: { limit: 100 ms } }
              delay: 15ms
        clocks:
          receivers: { offset: 35ms, frequency: 30 ppm }
        receivers:
          - id: tv
            playout: { fixed: 100ms }
        qos:
          bitrate: '>= 4 Mbit/s'
          session_setup_delay: '<= 2s'
          end_to_end_delay: '<= 2s'
          round_trip_delay: '<= 200ms'
          jitter: '<= 50ms'
          loss: '<= 0.1%'
          lip_sync: 'within itu-bt1359 detectability for 99%'
        """)

    static let dslEvening = Preset(
        "dsl-evening", "A 6 Mbit/s DSL line in the busy hour, with impulse noise on the copper.",
        source: "Numbers: our choice for a line at its limit; no measurement stands behind loss and jitter.",
        """
        sender:
          carriage: ts-rtp
          mux_rate: auto
        network:
          forward:
            # The provider's network: in the evening other people's traffic makes the delay vary.
            - delay: 15ms
              jitter: { normal: { deviation: 3ms } }
            # The line: noise takes several packets at a time.
            - rate: 6 Mbit/s
              queue: { drop_tail: { limit: 100 ms } }
              delay: 10ms
              loss: { gilbert_elliott: { loss: 0.3%, mean_burst: 3 } }
          reverse:
            - rate: 640 kbit/s
              queue: { drop_tail: { limit: 100 ms } }
              delay: 10ms
            - delay: 15ms
              jitter: { normal: { deviation: 3ms } }
        clocks:
          receivers: { offset: 35ms, frequency: 40 ppm }
        receivers:
          - id: tv
            playout: { fixed: 150ms }
        qos:
          bitrate: '>= 4 Mbit/s'
          session_setup_delay: '<= 2s'
          end_to_end_delay: '<= 2s'
          round_trip_delay: '<= 150ms'
          jitter: '<= 30ms'
          loss: '<= 1%'
          lip_sync: 'within itu-bt1359 detectability for 95%'
        """)

    static let wifiBusy = Preset(
        "wifi-busy", "A shared Wi-Fi cell behind a fast access line: jitter, and losses in bursts.",
        source:
            "Numbers: mean loss bursts of 3.00, 4.66 and 5.67 packets by state of the channel are those of da Silva "
            + "and Pedroso, Sensors 22(22):8592, 2022 (the middle one here); loss rate, jitter and rates are our choice.",
        """
        sender:
          carriage: ts-rtp
          mux_rate: auto
        network:
          forward:
            - rate: 50 Mbit/s
              queue: { drop_tail: { limit: 100 ms } }
              delay: 10ms
            # The radio: what the neighbours leave of it.
            - rate: 20 Mbit/s
              queue: { drop_tail: { limit: 200 packets } }
              delay: 12ms
              jitter: { normal: { deviation: 4ms } }
              loss: { gilbert_elliott: { loss: 1%, mean_burst: 4.66 } }
          reverse:
            - rate: 20 Mbit/s
              queue: { drop_tail: { limit: 200 packets } }
              delay: 12ms
              jitter: { normal: { deviation: 4ms } }
            - rate: 10 Mbit/s
              queue: { drop_tail: { limit: 100 ms } }
              delay: 10ms
        clocks:
          receivers: { offset: -20ms, frequency: -25 ppm }
        receivers:
          - id: tablet
            playout: { fixed: 200ms }
        qos:
          bitrate: '>= 4 Mbit/s'
          session_setup_delay: '<= 2s'
          end_to_end_delay: '<= 2s'
          round_trip_delay: '<= 150ms'
          jitter: '<= 50ms'
          loss: '<= 3%'
          lip_sync: 'within itu-bt1359 acceptability for 90%'
        """)

    static let satellite = Preset(
        "satellite", "Contribution over a geostationary satellite: long, steady, nearly clean.",
        source: "Numbers: 239 ms is light's way of 2 x 35,786 km; 11 ms for modems and the loss rate are our choice.",
        """
        sender:
          carriage: ts-rtp
          mux_rate: auto
        network:
          forward:
            - rate: 8 Mbit/s
              queue: { drop_tail: { limit: 200 ms } }
              delay: 250ms
              jitter: { uniform: { half_range: 1ms } }
              loss: { bernoulli: 0.01% }
          reverse:
            - rate: 1 Mbit/s
              queue: { drop_tail: { limit: 200 ms } }
              delay: 250ms
        clocks:
          receivers: { offset: 0ms, frequency: 5 ppm }
        receivers:
          - id: station
            playout: { fixed: 100ms }
        qos:
          bitrate: '>= 4 Mbit/s'
          session_setup_delay: '<= 3s'
          end_to_end_delay: '<= 2s'
          round_trip_delay: '<= 700ms'
          jitter: '<= 10ms'
          loss: '<= 0.5%'
          lip_sync: 'within itu-bt1359 detectability for 99%'
        """)
}
