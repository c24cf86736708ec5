internal import CZlib

/// The algorithm below gzip and zlib (RFC 1951), with what either puts around it.
struct Deflate {
    /// zlib's window of 32 KiB, and the form around it: 15 is zlib's own, 31 is gzip's.
    let windowBits: Int32

    func compress(_ bytes: [UInt8], level: Int) -> [UInt8] {
        precondition((1...9).contains(level), "zlib's levels go from 1 to 9")
        var stream = unsafe z_stream()
        precondition(unsafe czlib_deflate_init(&stream, Int32(level), windowBits) == Z_OK, "zlib ran out of memory")
        defer { unsafe deflateEnd(&stream) }
        let capacity = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
        return unsafe [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            unsafe bytes.withUnsafeBufferPointer { input in
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(output.count)
                // The bound holds whatever comes, so that one call does it.
                precondition(unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib's bound was too small")
            }
            count = unsafe capacity - Int(stream.avail_out)
        }
    }

    func decompress(_ bytes: [UInt8], limit: Int) throws(DecompressionError) -> [UInt8] {
        var stream = unsafe z_stream()
        precondition(unsafe czlib_inflate_init(&stream, windowBits) == Z_OK, "zlib ran out of memory")
        defer { unsafe inflateEnd(&stream) }
        var output: [UInt8] = []
        let outcome = unsafe bytes.withUnsafeBufferPointer { input -> Outcome in
            unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.avail_in = UInt32(input.count)
            while true {
                // Doubling, so that little is copied, and never more than shows that it is too much.
                let room = min(max(Self.firstChunkBytes, output.count), limit - output.count + 1)
                let result = unsafe Self.inflate(&stream, into: &output, room)
                if output.count > limit { return .tooLarge }
                switch result {
                case Z_STREAM_END: return unsafe stream.avail_in == 0 ? .complete : .malformed
                case Z_OK where unsafe stream.avail_in > 0 || stream.avail_out == 0: continue
                default: return .malformed
                }
            }
        }
        switch outcome {
        case .complete: return output
        case .malformed: throw .malformed
        case .tooLarge: throw .tooLarge(limit: limit)
        }
    }

    private enum Outcome {
        case complete, malformed, tooLarge
    }

    private static let firstChunkBytes = 16 << 10

    /// Appends at most `room` bytes.
    private static func inflate(_ stream: inout z_stream, into output: inout [UInt8], _ room: Int) -> Int32 {
        var result = Z_OK
        output.append(addingCapacity: room) { (span: inout OutputSpan<UInt8>) in
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                unsafe stream.next_out = buffer.baseAddress
                unsafe stream.avail_out = UInt32(room)
                result = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
                count = unsafe room - Int(stream.avail_out)
            }
        }
        return result
    }
}
