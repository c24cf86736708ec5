internal import CHiredis

/// Turns the server's bytes, cut anywhere, into values: hiredis' parser.
///
/// Owns the `redisReader` and the tree of its current reply. Confine it to one thread. hiredis takes arrays of at most
/// seven levels; deeper ones are a protocol violation.
@safe package final class ReplyReader {
    private let handle: UnsafeMutablePointer<redisReader>
    private let limitBytes: Int
    /// Bytes fed since the last complete reply.
    private var bytesOfReply = 0

    /// - Parameter limitBytes: of one reply.
    package init(limitBytes: Int) {
        guard let handle = unsafe redisReaderCreate() else { preconditionFailure("out of memory") }
        unsafe self.handle = unsafe handle
        self.limitBytes = limitBytes
    }

    deinit { unsafe redisReaderFree(handle) }

    /// Takes the next bytes. After an error the reader is of no use any more.
    package func feed(_ bytes: UnsafeRawBufferPointer) throws(RedisError) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        bytesOfReply += bytes.count
        guard bytesOfReply - bytes.count <= limitBytes else {  // This chunk may begin with the end of another reply.
            throw RedisError(.protocolViolation, "a reply exceeds \(limitBytes) bytes", certainty: .unknown)
        }
        let result = unsafe redisReaderFeed(handle, base.assumingMemoryBound(to: CChar.self), bytes.count)
        guard result == REDIS_OK else { throw failure }
    }

    /// The next complete reply, or nil when more bytes are needed.
    package func next() throws(RedisError) -> RedisValue? {
        var reply: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(handle, &reply) == REDIS_OK else { throw failure }
        guard let reply = unsafe reply else { return nil }
        defer { unsafe freeReplyObject(reply) }
        bytesOfReply = 0
        return unsafe Self.value(reply.assumingMemoryBound(to: redisReply.self))
    }

    private var failure: RedisError {
        let text = unsafe withUnsafeBytes(of: handle.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisError(.protocolViolation, text, certainty: .unknown)
    }

    private static func value(_ reply: UnsafePointer<redisReply>) -> RedisValue {
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_INTEGER: return .integer(unsafe reply.pointee.integer)
        case REDIS_REPLY_STRING: return .bytes(unsafe bytes(reply))
        case REDIS_REPLY_STATUS: return .status(String(decoding: unsafe bytes(reply), as: UTF8.self))
        case REDIS_REPLY_ERROR:
            return .error(RedisError(serverText: String(decoding: unsafe bytes(reply), as: UTF8.self)))
        case REDIS_REPLY_ARRAY:
            let elements = unsafe UnsafeBufferPointer(start: reply.pointee.element, count: reply.pointee.elements)
            return .array(unsafe elements.map { element in unsafe element.map { unsafe value($0) } ?? .null })
        case REDIS_REPLY_NIL: return .null
        case let type: preconditionFailure("hiredis knows no reply of type \(type)")
        }
    }

    private static func bytes(_ reply: UnsafePointer<redisReply>) -> [UInt8] {
        guard let start = unsafe reply.pointee.str else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: reply.pointee.len))
    }
}
