internal import Compression
internal import RPCCore

extension FuzzTarget {
    /// The first byte says in how many pieces the rest comes: the same messages and the same error, however it is cut.
    static let framing = FuzzTarget(
        "framing", seeds: [[1, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 2, 7, 8, 1, 0, 0, 0, 1, 9], [0, 2, 0, 0, 0, 0]]
    ) { bytes in
        guard let first = bytes.first else { return }
        let stream = bytes.dropFirst()
        let whole = deframe(stream, piece: max(1, stream.count))
        let cut = deframe(stream, piece: Int(first) + 1)
        hold(whole.messages == cut.messages && whole.error == cut.error, "pieces change nothing")
        let again = whole.messages.flatMap { message in
            MessagePrefix(length: message.bytes.count, isCompressed: message.isCompressed).bytes + message.bytes
        }
        hold(stream.starts(with: again), "messages are what was on the wire")
        hold(whole.messages.allSatisfy { $0.bytes.count <= limit }, "no message is over the limit")
        if whole.error == nil { hold(again.count == stream.count, "all of an accepted stream is messages") }
    }

    private static let limit = 256

    private static func deframe(
        _ stream: ArraySlice<UInt8>, piece: Int
    ) -> (messages: [FramedMessage], error: FramingError?) {
        var deframer = MessageDeframer(maximumMessageBytes: limit)
        var messages: [FramedMessage] = []
        var rest = stream
        do throws(FramingError) {
            while !rest.isEmpty {
                try deframer.receive(Array(rest.prefix(piece)).span) { messages.append($0) }
                rest = rest.dropFirst(piece)
            }
            try deframer.finish()
        } catch {
            return (messages, error)
        }
        return (messages, nil)
    }

    static let gzip = FuzzTarget(
        "gzip", maximumBytes: 512,
        seeds: [Gzip.compress([]), Gzip.compress([1, 2, 3]), Gzip.compress([UInt8](repeating: 0, count: 100_000))]
    ) { bytes in
        check(bytes, Gzip.decompress) { Gzip.compress($0) }
    }

    static let deflate = FuzzTarget(
        "deflate", maximumBytes: 512,
        seeds: [Zlib.compress([]), Zlib.compress([1, 2, 3]), Zlib.compress([UInt8](repeating: 0, count: 100_000))]
    ) { bytes in
        check(bytes, Zlib.decompress) { Zlib.compress($0) }
    }

    /// Whatever comes out is within the limit, and comes out again when it is compressed again.
    private static func check(
        _ bytes: [UInt8], _ decompress: ([UInt8], Int) throws(DecompressionError) -> [UInt8],
        _ compress: ([UInt8]) -> [UInt8]
    ) {
        let limit = 32 << 10
        do throws(DecompressionError) {
            let output = try decompress(bytes, limit)
            hold(output.count <= limit, "the limit holds")
            hold(try decompress(compress(output), limit) == output, "what was accepted comes again")
        } catch {
            hold(error == .malformed || error == .tooLarge(limit: limit), "\(error)")
        }
    }
}
