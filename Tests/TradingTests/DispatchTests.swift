import Contracts
import Domain
import RPCCore
import Testing

@testable import Trading

struct DispatchTests {
    @Test func aLostRequestIsAskedAboutAndSentAgainUnderTheSameID() async throws {
        try await World.with { world in
            world.gateway.plan(.loseRequest)
            let placed = try await world.place(try World.buy("c-1"))
            let unknown = try await world.order(placed.orderID, is: .unconfirmed)
            #expect(unknown.holdAmount == WireMoney(currency: "USD", minor: 20_000))
            world.time.advance(by: .seconds(2))
            try await world.event("LOOK_UP_MISSED", of: placed.orderID)
            world.time.advance(by: .seconds(2))
            let accepted = try await world.order(placed.orderID, is: .new)
            #expect(accepted.attempts == 2)
            #expect(world.gateway.attempts.map(\.number) == [1, 2])
            #expect(Set(world.gateway.attempts.map(\.order)).count == 1)
            #expect(world.gateway.orders.count == 1)
        }
    }

    @Test func aLostReplyIsFoundByLookUpAndNotSentAgain() async throws {
        try await World.with { world in
            world.gateway.plan(.loseReply)
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .unconfirmed)
            world.time.advance(by: .seconds(2))
            let found = try await world.order(placed.orderID, is: .new)
            #expect(found.brokerOrderID == "B1")
            world.time.advance(by: .seconds(60))
            try await world.settled()
            #expect(world.gateway.attempts.count == 1)
            #expect(world.gateway.lookUps == 1)
        }
    }

    @Test(arguments: [
        Status(.deadlineExceeded, certainty: .unknown), Status(.unavailable, certainty: .unknown),
        Status(.internal), Status(.unknown, "internal error"), Status(.cancelled, certainty: .unknown),
        Status(.resourceExhausted),
    ])
    func aFailedCallIsUnknown(_ status: Status) async throws {
        try await World.with { world in
            world.gateway.plan(.fail(status))
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .unconfirmed)
        }
    }

    @Test func whatWasNotSentIsSentLaterWithoutAsking() async throws {
        try await World.with { world in
            world.gateway.plan(.notSent, .fail(Status(.unavailable, certainty: .notProcessed)))
            let placed = try await world.place(try World.buy("c-1"))
            try await world.event("ATTEMPT_NOT_SENT", of: placed.orderID)
            world.time.advance(by: .seconds(30))
            try await world.event("ATTEMPT_NOT_SENT", of: placed.orderID, count: 2)
            world.time.advance(by: .seconds(30))
            let accepted = try await world.order(placed.orderID, is: .new)
            #expect(accepted.attempts == 3)
            #expect(world.gateway.lookUps == 0)
        }
    }

    @Test func aRefusalRejectsTheOrderAndReleasesTheHold() async throws {
        try await World.with { world in
            world.gateway.plan(.refuse("POSITION_LIMIT_EXCEEDED"))
            let placed = try await world.place(try World.buy("c-1"))
            let rejected = try await world.order(placed.orderID, is: .rejected)
            #expect(rejected.reason == "POSITION_LIMIT_EXCEEDED")
            try await world.settled()
            #expect(world.held == 0)
            #expect(world.money.truth.holds[placed.orderID]?.released == 20_000)
        }
    }

    @Test func anOutcomeThatStaysUnknownGoesToAPersonAndKeepsItsHold() async throws {
        try await World.with { world in
            world.gateway.plan(.loseRequest)
            world.gateway.lookUpsFail(true)
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .unconfirmed)
            var look = 0
            while try await world.order(placed.orderID).ordStatus == .unconfirmed {
                look += 1
                world.time.advance(by: .seconds(80))
                try await world.event("LOOK_UP_FAILED", of: placed.orderID, count: look)
            }
            #expect(try await world.order(placed.orderID).ordStatus == .needsReview)
            #expect(world.gateway.attempts.count == 1)
            #expect(world.held == 20_000)
            #expect(try await world.kinds(placed.orderID).contains("ALERT"))
        }
    }

    @Test func aFillWhileUnknownVoidsThePlannedResend() async throws {
        try await World.with { world in
            world.gateway.plan(.loseReply)
            world.gateway.lookUpsFail(true)
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .unconfirmed)
            try await world.deliver(try world.trade(placed, exec: "E1"))
            try await world.order(placed.orderID, is: .filled)
            world.time.advance(by: .seconds(300))
            try await world.settled()
            #expect(world.gateway.attempts.count == 1)
            #expect(world.balance == 80_000)
        }
    }

    @Test func aFillMayComeBeforeTheAnswer() async throws {
        try await World.with { world in
            world.gateway.plan(.hold)
            let placed = try await world.place(try World.buy("c-1"))
            try await world.event("ATTEMPT_SENT", of: placed.orderID)
            try await world.deliver(try world.trade(placed, exec: "E1"))
            try await world.order(placed.orderID, is: .filled)
            world.gateway.open()
            try await world.settled()
            let filled = try await world.order(placed.orderID)
            #expect(filled.ordStatus == .filled)
            #expect(filled.attempts == 1)
            #expect(world.held == 0)
        }
    }

    @Test func theAttemptIsWrittenBeforeItLeaves() async throws {
        try await World.with { world in
            world.gateway.plan(.hold)
            let placed = try await world.place(try World.buy("c-1"))
            try await world.eventually { world.gateway.attempts.isEmpty ? nil : () }
            let during = try await world.order(placed.orderID)
            #expect(during.attempts == 1)
            #expect(try await world.kinds(placed.orderID).last == "ATTEMPT_SENT")
            world.gateway.open()
        }
    }

    @Test func aHangingBrokerDoesNotStopMoney() async throws {
        try await World.with {
            $0.brokerConcurrency = 2
        } _: { world in
            world.gateway.plan(.accept, .hold, .hold)
            let first = try await world.place(try World.buy("c-1"))
            try await world.order(first.orderID, is: .new)
            for number in 2...4 { try await world.place(try World.buy("c-\(number)")) }
            try await world.eventually { world.gateway.attempts.count == 3 ? () : nil }
            try await world.deliver(try world.trade(first, exec: "E1"))
            try await world.event("HOLD_CAPTURED", of: first.orderID)
            try await world.event("HOLD_RELEASED", of: first.orderID)
            // The pool is full: the fourth order waits, nothing else does.
            #expect(world.gateway.attempts.count == 3)
            world.gateway.open()
        }
    }
}
