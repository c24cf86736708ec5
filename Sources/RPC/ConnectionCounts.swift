internal import EventLoop

/// How many connections a server has, in all and from each address.
struct ConnectionCounts {
    let maximum: Int
    let maximumPerAddress: Int
    private(set) var total = 0
    private var byHost: [String: Int] = [:]

    init(maximum: Int, maximumPerAddress: Int) {
        self.maximum = maximum
        self.maximumPerAddress = maximumPerAddress
    }

    /// Counts a connection; false, and nothing changes, when it is one too many.
    mutating func admit(_ address: SocketAddress) -> Bool {
        guard total < maximum else { return false }
        if let host = address.host {
            let count = byHost[host] ?? 0
            guard count < maximumPerAddress else { return false }
            byHost[host] = count + 1
        }
        total += 1
        return true
    }

    /// A connection that was counted is gone.
    mutating func leave(_ address: SocketAddress) {
        total -= 1
        guard let host = address.host, let count = byHost[host] else { return }
        byHost[host] = count > 1 ? count - 1 : nil
    }
}

extension SocketAddress {
    /// Nil for a unix socket, named or abstract.
    fileprivate var host: String? {
        switch self {
        case .ipv4(let host, _), .ipv6(let host, _): host
        case .unix, .abstract: nil
        }
    }
}
