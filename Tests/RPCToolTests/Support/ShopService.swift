import Limits
import Protobuf
import RPCCore
import Synchronization

/// The shop, as `server.py` serves it. The part "hang" is never found; "pair" only when two ask for it.
final class ShopService: Test_Tool_Shop {
    private let firstOfPair = Mutex<WakeUp?>(nil)

    static func part(_ name: String) -> Test_Tool_Part {
        Test_Tool_Part(
            name: name, price: 100 * Int64(name.unicodeScalars.count), state: .sold, place: .shelf("A"),
            extra: Google_Protobuf_Any(packing: Test_Tool_Total(price: 1)))
    }

    func find(_ request: Test_Tool_FindRequest, context: ServerContext) async throws -> Test_Tool_Part {
        if request.failWith != 0 {
            throw Status(Status.Code(rawValue: Int(request.failWith)) ?? .unknown, "failed as asked")
        }
        switch request.name {
        case "hang": await WakeUp().wait()
        case "pair": await waitForAnother()
        default: break
        }
        guard request.name == "metadata" else { return Self.part(request.name) }
        var found = Self.part("metadata")
        found.labels = context.metadata.compactMap { element in
            guard element.key.hasPrefix("x-"), case .text(let value) = element.value else { return nil }
            return "\(element.key)=\(value)"
        }.sorted()
        return found
    }

    private func waitForAnother() async {
        let mine = WakeUp()
        let other = firstOfPair.withLock { first in
            defer { first = first == nil ? mine : nil }
            return first
        }
        if let other { other.wake() } else { await mine.wait() }
    }

    func list(
        _ request: Test_Tool_ListRequest, responses: ResponseStream<Test_Tool_Part>, context: ServerContext
    ) async throws {
        for number in 0..<max(0, request.count) { try await responses.write(Self.part("part \(number)")) }
    }

    func sum(_ requests: RequestStream<Test_Tool_Part>, context: ServerContext) async throws -> Test_Tool_Total {
        var total = Test_Tool_Total()
        for try await request in requests {
            total.price += request.price
            total.count += 1
        }
        return total
    }

    func chat(
        _ requests: RequestStream<Test_Tool_FindRequest>, responses: ResponseStream<Test_Tool_Part>,
        context: ServerContext
    ) async throws {
        for try await request in requests {
            if request.failWith != 0 { throw Status(.aborted, "as asked") }
            try await responses.write(Self.part(request.name))
        }
    }
}
