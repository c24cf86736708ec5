import Base
import Protobuf
import RPC
import RPCCore
import Reflection

/// The service, written by hand against the generated protocol.
struct Till: Shop_V1_Shop {
    func place(_ request: Shop_V1_Order, context: ServerContext) async throws -> Shop_V1_Order {
        guard !request.orderID.isEmpty else { throw Status(.invalidArgument, "no order id") }
        var order = request
        order.state = .done
        return order
    }

    func watch(
        _ request: Shop_V1_Order, responses: ResponseStream<Shop_V1_Order>, context: ServerContext
    ) async throws {
        for line in request.lines { try await responses.write(Shop_V1_Order(orderID: request.orderID, lines: [line])) }
    }

    func upload(_ requests: RequestStream<Shop_V1_Order>, context: ServerContext) async throws -> Shop_V1_Order {
        var sum = Shop_V1_Order(orderID: "sum")
        for try await order in requests { sum.lines += order.lines }
        return sum
    }

    func talk(
        _ requests: RequestStream<Shop_V1_Order>, responses: ResponseStream<Shop_V1_Order>, context: ServerContext
    ) async throws {
        for try await order in requests { try await responses.write(order) }
    }
}

/// Prints one line for each thing that works; traps if one does not.
@main
struct Shop {
    static func main() async throws {
        try messages()
        try json()
        var registry = ServiceRegistry([Till()])
        registry.addReflection()
        try await calls(Shop_V1_ShopClient(InProcessChannel(services: registry)))
        print("reflection", registry.services.map(\.fullName).sorted().joined(separator: " "))
    }

    private static let order = Shop_V1_Order(
        orderID: "o-1", limit: 0, price: Money(units: 5, currency: "KRW"),
        lines: [Shop_V1_Order.Line(sku: "a", count: .max)], labels: ["raw": [0xfb, 0xff]],
        payment: .cash(Money(units: 1)), placedAt: Google_Protobuf_Timestamp(seconds: 1),
        extra: Google_Protobuf_Any(packing: Money(units: 7)))

    private static func messages() throws {
        let bytes = order.encoded()
        let copy = try Shop_V1_Order(decoding: bytes)
        precondition(copy == order && copy.limit == 0 && copy.state == .unspecified)
        // What a newer version added passes through, also inside.
        var passed = try Shop_V1_Order(decoding: bytes + [0x22, 5, 0x0a, 1, 0x62, 0x78, 1])
        precondition(passed.lines.count == 2 && passed.lines[1].unknownFields.bytes == [0x78, 1])
        passed.lines.removeFirst()
        let again = try Shop_V1_Order(decoding: passed.encoded())
        precondition(again.lines[0].unknownFields == passed.lines[0].unknownFields)
        do {
            _ = try Shop_V1_Order(decoding: [0x0a, 1, 0xff])
            preconditionFailure("no UTF-8, and no error")
        } catch { print("messages", error) }
    }

    private static func json() throws {
        var types = SchemaPool.wellKnown
        types.add(Money.schema)
        let options = JSONOptions(types: types)
        let text = try order.jsonString(options: options)
        let again = try Shop_V1_Order(json: text, options: options)
        precondition(again == order)
        print("json", text)
        let loose = try Shop_V1_Order(
            json: #"{"order_id":"1","state":1,"weight":"NaN","later":0}"#,
            options: JSONOptions(ignoresUnknownFields: true))
        precondition(loose.orderID == "1" && loose.state == .done && loose.weight.isNaN)
        do {
            _ = try Shop_V1_Order(json: #"{"lines":[{"count":-1}]}"#)
            preconditionFailure("a negative count, and no error")
        } catch { print("json", error) }
    }

    private static func calls(_ client: Shop_V1_ShopClient) async throws {
        let placed = try await client.place(order)
        precondition(placed.state == .done && placed.price == order.price)
        do {
            _ = try await client.place(Shop_V1_Order())
            preconditionFailure("no order id, and no error")
        } catch let status as Status { print("unary", status.code, status.message) }
        let watched = try await client.watch(order) { orders in
            var skus: [String] = []
            for try await order in orders { skus += order.lines.map(\.sku) }
            return skus
        }
        let uploaded = try await client.upload { writer in for _ in 0..<3 { try await writer.write(order) } }
        let talked = try await client.talk { writer, orders in
            try await writer.write(order)
            await writer.finish()
            var count = 0
            for try await _ in orders { count += 1 }
            return count
        }
        print("streams", watched, uploaded.lines.count, talked)
    }
}
