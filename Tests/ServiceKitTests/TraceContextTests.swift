import ServiceKit
import TestSupport
import Testing

@Test func aTraceparentSurvivesTheRoundTrip() throws {
    let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let context = try #require(TraceContext(traceparent: text))
    #expect(context.traceparent == text)
    let child = context.child(random: 0)
    #expect(child.traceID == context.traceID)
    #expect(child.spanID == "0000000000000001")
}

@Test(arguments: [
    "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
])
func aMalformedTraceparentIsNoContext(text: String) {
    #expect(TraceContext(traceparent: text) == nil)
}

/// Whatever a stranger sends, what is read of it is sent on in our own form, which reads the same.
@Test(arguments: SeededGenerator.seeds(2)) func changedTraceparentsAreSentOnInOurForm(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let text = Array("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".utf8)
    for _ in 0..<5000 {
        var changed = text
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let index = Int.random(in: 0..<changed.count, using: &random)
            if Bool.random(using: &random) { changed.remove(at: index) }
            changed.insert(UInt8.random(in: 0x20...0xFF, using: &random), at: index)
        }
        guard let read = TraceContext(traceparent: String(decoding: changed, as: UTF8.self)) else { continue }
        #expect(read.traceID.utf8.count == 32 && read.spanID.utf8.count == 16)
        #expect(TraceContext(traceparent: read.traceparent) == read, "\(changed)")
    }
}

@Test func aNewTraceIsNeverAllZero() {
    #expect(TraceContext(random: (0, 0, 0)).traceparent == "00-00000000000000010000000000000000-0000000000000001-01")
}
