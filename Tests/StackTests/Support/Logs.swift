import Domain
import Foundation

@testable import meridian

/// What the services of a stack wrote, line by line.
struct Logs {
    let folder: StackFolder

    /// The whole lines of one service's log, oldest first.
    func events(of service: ServiceName) throws -> [Timeline.Event] {
        let text = try String(contentsOfFile: folder.log(of: service.rawValue), encoding: .utf8)
        return text.split(separator: "\n").compactMap { Timeline.parse(String($0)) }
    }

    /// Where customers reach the door, "ipv4:127.0.0.1:PORT": the kernel chose the port.
    func doorAddress() throws -> String? {
        let ready = try events(of: .channel).last { $0.name == "service.ready" }
        let addresses = ready?.facts["addresses"]?.split(separator: ",") ?? []
        return addresses.first { $0.hasPrefix("ipv4:") }.map(String.init)
    }

    /// Where Prometheus finds the figures of a service, "127.0.0.1:PORT".
    func metricsAddress(of service: ServiceName) throws -> String? {
        let ready = try events(of: service).last { $0.name == "metrics.ready" }
        return ready?.facts["address"].map { String($0.dropFirst("ipv4:".count)) }
    }
}
