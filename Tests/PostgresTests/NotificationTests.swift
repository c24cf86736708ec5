import Postgres
import TestSupport
import Testing

@Suite struct NotificationTests {
    @Test func notificationsArriveInOrder() async throws {
        try await ScratchDatabase.withClient { client in
            var events = client.notifications(on: #"Wake "up""#).makeAsyncIterator()
            #expect(await events.next() == .listening)
            try await client.withTransaction { tx in
                for number in 1...3 {
                    try await tx.execute(sql: "SELECT pg_notify($1, $2)", [.text(#"Wake "up""#), .text("\(number)")])
                }
            }
            for number in 1...3 { #expect(await events.next() == .received(payload: "\(number)")) }
        }
    }

    @Test func aListenerComesBackAfterItsConnectionBroke() async throws {
        try await ScratchDatabase.withClient { client in
            var events = client.notifications(on: "dispatch").makeAsyncIterator()
            #expect(await events.next() == .listening)
            try await client.execute(
                sql: """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE query = 'LISTEN "dispatch"' AND datname = current_database()
                    """)
            #expect(await events.next() == .listening)
            try await client.execute(sql: "NOTIFY dispatch")
            #expect(await events.next() == .received(payload: ""))
        }
    }

    @Test func aListenerThatNobodyReadsEnds() async throws {
        try await ScratchDatabase.withClient { client in
            func listen() async {
                var events = client.notifications(on: "dispatch").makeAsyncIterator()
                #expect(await events.next() == .listening)
            }
            await listen()
            var listeners: [Int64] = [1]
            while listeners != [0] {
                let sql =
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
                listeners = try await client.query(sql: sql) { try $0.int64(0) }
            }
        }
    }
}
