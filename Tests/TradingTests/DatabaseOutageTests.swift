import Contracts
import Domain
import RPCCore
import TestSupport
import Testing

@testable import Trading

struct DatabaseOutageTests {
    @Test func aDatabaseThatCrashesLosesNothing() async throws {
        let server = try await PrivatePostgres.start()
        try await World.with(on: server) { world in
            world.gateway.plan(.hold)
            let first = try await world.place(try World.buy("c-1"))
            try await world.event("ATTEMPT_SENT", of: first.orderID)
            try await server.stop(.crash)

            // An order cannot be taken in: nothing was done, and the caller is told so.
            let refused = await refusal { try await world.client.placeOrder(try World.buy("c-2")) }
            #expect(refused?.code == .unavailable)
            #expect(refused?.retry == .sameIDAfter)
            // The broker answers and the execution comes while nothing can be written.
            world.gateway.open()
            let fill = try world.trade(first, exec: "E1")
            async let delivered: Void = world.deliver(fill)
            try await server.restart()
            try await delivered

            try await world.advancing { try await world.order(first.orderID).ordStatus == .filled ? () : nil }
            let second = try await world.place(try World.buy("c-2"))
            try await world.advancing { try await world.order(second.orderID).ordStatus == .new ? () : nil }
            try await world.deliver(try world.trade(second, exec: "E2"))
            try await world.advancing { try await world.rowCount("work_item") == 0 ? () : nil }
            try await world.checkInvariants()
            #expect(world.gateway.orders.count == 2)
            #expect(world.balance == 60_000)
            #expect(world.held == 0)
        }
        try await server.stop()
    }
}
