import Limits
import RPCCore
import Synchronization

/// One call with its messages in memory.
final class LocalCall: ServerCall {
    let path: String
    let metadata: Metadata = [:]
    let deadline: Deadline? = nil
    let peer = Peer(address: "in-process")
    private let request: Mutex<[UInt8]?>
    private let responses = Mutex<[[UInt8]]>([])

    init(path: String, request: [UInt8]?) {
        self.path = path
        self.request = Mutex(request)
    }

    var isCancelled: Bool { Task.isCancelled }

    func receive() async throws -> [UInt8]? {
        request.withLock { request in
            defer { request = nil }
            return request
        }
    }

    func send(_ message: [UInt8]) async throws { responses.withLock { $0.append(message) } }
    func sendInitialMetadata(_ metadata: Metadata) async throws {}
    func appendTrailingMetadata(_ metadata: Metadata) {}
    func takeResponse() -> [UInt8]? { responses.withLock { $0.popLast() } }
    var sent: [[UInt8]] { responses.withLock { $0 } }
}
