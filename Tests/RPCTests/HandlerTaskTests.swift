import HTTP2
import RPC
import RPCCore
import Testing

// Calls that come in one read are served by one task for as long as none suspends.

@Test func handlersOfOneReadDoNotWaitForEachOther() async throws {
    try await Fixture.run(loops: 1) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let waiting = peer.request("/test.Text/Hang", message: message("a"))
            let first = peer.request("/test.Text/Echo", message: message("b"))
            _ = peer.request("/test.Text/Hang", message: message("c"))
            let second = peer.request("/test.Text/Echo", message: message("d"))
            try peer.exchange { first.hasEnded && second.hasEnded }
            #expect(first.data == message("b") && second.data == message("d"))
            waiting.reset(.cancel)
            let third = peer.request("/test.Text/Echo", message: message("e"))
            try peer.exchange { third.hasEnded }
            #expect(third.data == message("e"))
        }
        var events: [String] = []
        for _ in 0..<4 { events.append(try #require(await fixture.events.next())) }
        // The second was cancelled with its connection.
        #expect(events == ["started a", "started c", "cancelled a true", "cancelled c true"])
    }
}

@Test func aCallThatIsResetInTheReadThatBroughtItIsNotServed() async throws {
    try await Fixture.run(loops: 1) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let call = peer.request("/test.Text/Hang", message: message("a"))
            let request = try peer.session.produce()
            call.reset(.cancel)
            try peer.send(request + peer.session.produce())
            let echo = peer.request("/test.Text/Echo", message: message("b"))
            try peer.exchange { echo.hasEnded }
            #expect(echo.data == message("b"))
        }
        fixture.events.report("nothing before")
        #expect(await fixture.events.next() == "nothing before")
    }
}

@Test func whatAHandlerDoesToItsTaskStaysThere() async throws {
    try await Fixture.run(loops: 1) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let cancelling = peer.request("/test.Text/Echo", message: message("cancel yourself"))
            let other = peer.request("/test.Text/Echo", message: message("cancelled?"))
            let hurried = peer.request("/test.Text/Echo", ["grpc-timeout": "5000S"], message: message("deadline?"))
            let leisurely = peer.request("/test.Text/Echo", message: message("deadline?"))
            try peer.exchange { cancelling.hasEnded && other.hasEnded && hurried.hasEnded && leisurely.hasEnded }
            #expect(other.data == message("false"))
            let left = Int(String(decoding: hurried.data.dropFirst(5), as: UTF8.self))
            #expect(left.map { (4_000..<5_000).contains($0) } == true)
            #expect(leisurely.data == message("none"))
        }
    }
}

private func message(_ text: String) -> [UInt8] { [0, 0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }
