internal import RPC
internal import RPCCore

extension FuzzTarget {
    static let base64 = FuzzTarget("base64", texts: ["", "AA", "AAE=", "AAEC", "////", "+w=="]) { text in
        guard let bytes = Base64.decode(text.utf8) else { return }
        let again = Base64.encode(bytes)
        hold(Base64.decode(again) == bytes, "what was accepted comes again")
        hold(again.count <= text.utf8.count, "the own form is the shortest")
    }

    static let percentEncoding = FuzzTarget(
        "percent-encoding", seeds: ["", "a%20b", "%E2%82%AC", "%", "%zz"].map { Array($0.utf8) }
    ) { bytes in
        let text = PercentEncoding.decode(bytes)
        let again = PercentEncoding.encode(text)
        hold(again.allSatisfy { $0 >= 0x20 && $0 <= 0x7E }, "the own form is printable")
        hold(PercentEncoding.decode(again) == text, "what was accepted comes again")
        hold(text.utf8.count <= 3 * bytes.count, "repair makes at most three bytes of one")
    }

    static let timeout = FuzzTarget("timeout", maximumBytes: 16, texts: ["1S", "99999999H", "100m", "0n", "7u", "3M"]) {
        text in
        guard let timeout = TimeoutHeader.decode(Array(text.utf8).span) else { return }
        hold(timeout >= 0, "time does not go back")
        guard let again = TimeoutHeader.decode(TimeoutHeader.encode(.nanoseconds(timeout)).span) else {
            return hold(false, "the own form is accepted")
        }
        hold(again >= timeout, "rounding gives more time, never less")
        hold(
            TimeoutHeader.decode(TimeoutHeader.encode(.nanoseconds(again)).span) == again, "the own form is exact")
    }

    static let requestFields = FuzzTarget(
        "request-fields",
        seeds: fields(
            ":method=POST", "content-type=application/grpc+proto", "grpc-timeout=1S", "grpc-encoding=gzip",
            "grpc-accept-encoding=identity, gzip", "a-bin=AAEC,AA==", "plain=text", "te=trailers")
    ) { bytes in
        var head = RequestHead()
        forEachField(bytes) { head.receive($0, $1) }
        check(head.metadata)
    }

    static let responseFields = FuzzTarget(
        "response-fields",
        seeds: fields(
            ":status=200", "content-type=application/grpc", "grpc-status=5", "grpc-message=a%20b",
            "grpc-status-details-bin=CAUSAWE", "grpc-encoding=gzip", "b-bin=AA", "c=d")
    ) { bytes in
        var head = ResponseHead()
        forEachField(bytes) { head.receive($0, $1) }
        guard let status = head.status(atEnd: true) else { return hold(false, "an ended response has a status") }
        check(status.metadata)
    }

    /// Each field as the counts of its name and value, and then both.
    private static func fields(_ texts: String...) -> [[UInt8]] {
        let encoded = texts.map { text -> [UInt8] in
            let parts = text.split(separator: "=", maxSplits: 1)
            return [UInt8(parts[0].utf8.count), UInt8(parts[1].utf8.count)] + parts[0].utf8 + parts[1].utf8
        }
        return encoded + [Array(encoded.joined())]
    }

    private static func forEachField(_ bytes: [UInt8], _ body: (Span<UInt8>, Span<UInt8>) -> Void) {
        var rest = bytes[...]
        while let nameCount = rest.popFirst(), let valueCount = rest.popFirst() {
            let name = Array(rest.prefix(Int(nameCount)))
            rest = rest.dropFirst(name.count)
            let value = Array(rest.prefix(Int(valueCount)))
            rest = rest.dropFirst(value.count)
            body(name.span, value.span)
        }
    }

    /// What a handler or a caller gets can be sent on, and arrives as it was.
    private static func check(_ metadata: Metadata) {
        var again = Metadata()
        for element in metadata {
            switch element.value {
            case .text(let text):
                // The library above lets no other value through; what it is given here need not be ASCII.
                guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 <= 0x7E }) else { continue }
                hold(again.appendFromWire(key: element.key, value: Array(text.utf8)[...]), "text is sent on")
                hold(again.last?.value == element.value, "text arrives as it was")
            case .bytes(let bytes):
                hold(element.key.hasSuffix("-bin"), "bytes have a key that says so")
                hold(again.appendFromWire(key: element.key, value: Base64.encode(bytes)[...]), "bytes are sent on")
                hold(again.last?.value == element.value, "bytes arrive as they were")
            }
            hold(!Metadata.isReserved(element.key), "\(element.key) belongs to gRPC itself")
        }
    }
}
