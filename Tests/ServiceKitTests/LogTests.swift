import Domain
import Glibc
import Logging
import ServiceKit
import Testing

@Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00.000000Z"), (1_793_322_564_123_456_789, "2026-10-30T01:09:24.123456Z"),
    (-1000, "1969-12-31T23:59:59.999999Z"),
])
func timestampsAreUTCWithMicroseconds(nanoseconds: Int64, text: String) {
    #expect(LogLine.timestamp(UnixTime(nanoseconds: nanoseconds)) == text)
}

@Test func aLineIsOneJSONObjectWithEscapedText() {
    let trace = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    let line = LogLine.format(
        at: UnixTime(nanoseconds: 0), level: .info, service: "trading", trace: trace, event: "order.accepted",
        facts: [
            "qty": .stringConvertible(3), "text": "a \"b\"\n\u{1}", "ids": ["x", "y"], "done": .stringConvertible(true),
        ])
    #expect(
        line == """
            {"at":"1970-01-01T00:00:00.000000Z","level":"info","service":"trading",\
            "trace":"0af7651916cd43dd8448eb211c80319c","event":"order.accepted","done":true,"ids":["x","y"],"qty":3,\
            "text":"a \\"b\\"\\n\\u0001"}

            """)
}

@Test func theSinkWritesLinesInOrderAndAllOfThemBeforeItCloses() async throws {
    var ends: [Int32] = [0, 0]
    let result = unsafe pipe(&ends)
    #expect(result == 0)
    let sink = LogSink(descriptor: ends[1])
    let log = Logger(service: "test", sink: sink)
    for number in 0..<100 { log.info("number.seen", metadata: ["number": .stringConvertible(number)]) }
    sink.close()
    close(ends[1])
    let lines = await readToEnd(ends[0]).split(separator: "\n")
    close(ends[0])
    #expect(lines.count == 100)
    for (number, line) in lines.enumerated() {
        #expect(line.hasSuffix("\"event\":\"number.seen\",\"number\":\(number)}"))
    }
}

@Test func aFullSinkDropsAndSaysSo() async throws {
    var ends: [Int32] = [0, 0]
    let result = unsafe pipe(&ends)
    #expect(result == 0)
    // Nobody reads yet: the pipe takes 64 KiB, and the sink's buffer one line of 600 bytes.
    let sink = LogSink(descriptor: ends[1], capacityBytes: 1000)
    let line = String(repeating: "x", count: 599) + "\n"
    for _ in 0..<500 { sink.write(line) }
    let reader = ends[0]
    async let text = readToEnd(reader)
    sink.close()
    close(ends[1])
    let lines = await text.split(separator: "\n")
    #expect(lines.contains { $0.contains("log.dropped") })
    #expect(lines.count < 500)
    close(ends[0])
}

@concurrent func readToEnd(_ descriptor: Int32) async -> String {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = unsafe read(descriptor, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
    return String(decoding: text, as: UTF8.self)
}
