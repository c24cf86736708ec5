import ServiceKit
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

@Test func aNewTraceIsNeverAllZero() {
    #expect(TraceContext(random: (0, 0, 0)).traceparent == "00-00000000000000010000000000000000-0000000000000001-01")
}
