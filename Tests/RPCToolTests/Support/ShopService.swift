import Protobuf
import RPCCore

/// The shop, as `server.py` serves it.
struct ShopService: Test_Tool_Shop {
    static func part(_ name: String) -> Test_Tool_Part {
        Test_Tool_Part(
            name: name, price: 100 * Int64(name.unicodeScalars.count), state: .sold, place: .shelf("A"),
            extra: Google_Protobuf_Any(packing: Test_Tool_Total(price: 1)))
    }

    func find(_ request: Test_Tool_FindRequest, context: ServerContext) async throws -> Test_Tool_Part {
        if request.failWith != 0 {
            throw Status(Status.Code(rawValue: Int(request.failWith)) ?? .unknown, "failed as asked")
        }
        return Self.part(request.name)
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
