import EventLoop
import RPC

/// The books of a stack once the work has come to rest: captures and releases follow the fills by message.
enum BooksAtRest {
    /// Reads until the checks pass; after `limit` the books as they are.
    static func read(_ folder: StackFolder, within limit: Duration) async throws -> Books {
        let group = try EventLoopGroup(name: "audit", count: 1)
        var channels: [RPCClientChannel] = []
        defer { group.shutDown() }
        let end = ContinuousClock.now + limit
        do {
            while true {
                let books = try await Books.read { service, control in
                    let channel = RPCClientChannel(
                        target: .unix(path: folder.socket(of: service, control: control)),
                        tls: try folder.certificates.client(as: "operator", to: service), group: group)
                    channels.append(channel)
                    return channel
                }
                for channel in channels { await channel.shutDown() }
                channels = []
                if ContinuousClock.now > end || Auditor.check(books).allSatisfy(\.passed) { return books }
                try await Task.sleep(for: .milliseconds(500))
            }
        } catch {
            for channel in channels { await channel.shutDown() }
            throw error
        }
    }
}
