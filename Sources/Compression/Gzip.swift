internal import CZlib

/// Why bytes are not the gzip of a message.
public enum GzipError: Error, Hashable, Sendable {
    /// Not gzip, cut short, damaged, or followed by something else.
    case malformed
    /// More than the limit comes out; found as soon as that much has.
    case tooLarge(limit: Int)
}

/// Whole messages to gzip and back (RFC 1952).
///
/// Any thread; keeps nothing between calls.
public enum Gzip {
    /// zlib's level of compression: 1 is fastest, 9 smallest.
    public static let defaultLevel = 6

    public static func compress(_ bytes: [UInt8], level: Int = defaultLevel) -> [UInt8] {
        precondition((1...9).contains(level), "zlib's levels go from 1 to 9")
        var stream = unsafe z_stream()
        precondition(unsafe czlib_deflate_init_gzip(&stream, Int32(level)) == Z_OK, "zlib ran out of memory")
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

    /// - Parameter limit: bytes that may come out, at least 0. Memory grows with what comes out, never past this.
    public static func decompress(_ bytes: [UInt8], limit: Int) throws(GzipError) -> [UInt8] {
        var stream = unsafe z_stream()
        precondition(unsafe czlib_inflate_init_gzip(&stream) == Z_OK, "zlib ran out of memory")
        defer { unsafe inflateEnd(&stream) }
        var output: [UInt8] = []
        let outcome = unsafe bytes.withUnsafeBufferPointer { input -> Outcome in
            unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.avail_in = UInt32(input.count)
            while true {
                // Doubling, so that little is copied, and never more than shows that it is too much.
                let room = min(max(firstChunkBytes, output.count), limit - output.count + 1)
                let result = unsafe inflate(&stream, into: &output, room)
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
