// The peer of tools/bench: ns-3 sends bare UDP datagrams at a constant rate over one point-to-point link.
//
// It is given every advantage: no RTP, no transport stream, no loss model, no jitter, no tracing, no checksums, no
// queue discipline above the device, and payloads whose bytes ns-3 never materializes.
//
// Prints one line: datagrams sent, datagrams received, then wall and processor seconds of the simulation alone.
#include <ns3/core-module.h>
#include <ns3/internet-module.h>
#include <ns3/network-module.h>
#include <ns3/point-to-point-module.h>
#include <ns3/traffic-control-helper.h>

#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <ctime>

using namespace ns3;

namespace {

uint64_t sent = 0;
uint64_t received = 0;

/// Sends one datagram and schedules the next, until `end`.
void SendOne(Ptr<Socket> socket, uint32_t payload, Time interval, Time end)
{
    socket->Send(Create<Packet>(payload));
    ++sent;
    if (Simulator::Now() + interval < end)
    {
        Simulator::Schedule(interval, &SendOne, socket, payload, interval, end);
    }
}

void ReceiveAll(Ptr<Socket> socket)
{
    while (socket->Recv())
    {
        ++received;
    }
}

} // namespace

int main(int argc, char** argv)
{
    double seconds = 600;
    uint32_t payload = 1328;
    uint64_t bitsPerSecond = 8'000'000;
    CommandLine options(__FILE__);
    options.AddValue("seconds", "virtual seconds to simulate", seconds);
    options.AddValue("payload", "UDP payload, bytes", payload);
    options.AddValue("rate", "UDP payload rate, bit/s", bitsPerSecond);
    options.Parse(argc, argv);

    NodeContainer nodes;
    nodes.Create(2);
    PointToPointHelper link;
    link.SetDeviceAttribute("DataRate", StringValue("20Mbps"));
    link.SetChannelAttribute("Delay", StringValue("20ms"));
    NetDeviceContainer devices = link.Install(nodes);
    InternetStackHelper().Install(nodes);
    Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.0");
    Ipv4InterfaceContainer interfaces = addresses.Assign(devices);
    TrafficControlHelper().Uninstall(devices);

    const uint16_t port = 5004;
    Ptr<Socket> sink = Socket::CreateSocket(nodes.Get(1), UdpSocketFactory::GetTypeId());
    sink->Bind(InetSocketAddress(Ipv4Address::GetAny(), port));
    sink->SetRecvCallback(MakeCallback(&ReceiveAll));
    Ptr<Socket> source = Socket::CreateSocket(nodes.Get(0), UdpSocketFactory::GetTypeId());
    source->Connect(InetSocketAddress(interfaces.GetAddress(1), port));

    const Time interval = Seconds(payload * 8.0 / bitsPerSecond);
    Simulator::Schedule(Seconds(0), &SendOne, source, payload, interval, Seconds(seconds));

    const auto start = std::chrono::steady_clock::now();
    const std::clock_t startOfWork = std::clock();
    Simulator::Run();
    const double work = double(std::clock() - startOfWork) / CLOCKS_PER_SEC;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    Simulator::Destroy();
    std::printf("sent %" PRIu64 " received %" PRIu64 " wall_s %.3f cpu_s %.3f\n", sent, received, wall.count(), work);
    return sent == received ? 0 : 1;
}
