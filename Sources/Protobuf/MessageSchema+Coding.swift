import CProtobufC

extension MessageSchema {
    /// Lets protobuf-c decode `bytes`, and `body` read the result.
    @usableFromInline
    func unpack(
        _ bytes: UnsafeRawBufferPointer,
        limits: DecodingLimits,
        _ body: (borrowing MessageView) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        try unsafe NestingScan.check(bytes, as: self, limit: limits.nesting)
        let budget = limits.memoryBytes(forInput: bytes.count)
        try unsafe Self.withArena(budgetBytes: budget) { (arena) throws(ProtobufError) in
            var allocator = unsafe Arena.allocator(over: arena)
            let message = unsafe protobuf_c_message_unpack(
                descriptor.c, &allocator, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            guard let message = unsafe message else {
                throw unsafe arena.pointee.isExhausted
                    ? .memoryLimit(message: fullName, limitBytes: budget) : .malformed(message: fullName)
            }
            try unsafe body(MessageView(UnsafeRawPointer(message)))
        }
    }

    /// Lets `body` fill a message, and protobuf-c encode it behind `prefixBytes` zero bytes.
    @usableFromInline
    func pack(reserving prefixBytes: Int, _ body: (inout MessageBuilder) -> Void) -> [UInt8] {
        unsafe Self.withArena(budgetBytes: .max) { arena in
            var builder = unsafe MessageBuilder(UnsafeRawPointer(descriptor.c), in: arena, depth: 0)
            body(&builder)
            let message = unsafe builder.message.assumingMemoryBound(to: ProtobufCMessage.self)
            let count = unsafe prefixBytes + protobuf_c_message_get_packed_size(message)
            var bytes: [UInt8] = []
            // Not by `init(unsafeUninitializedCapacity:)`, which looks the type of the storage up at run time.
            bytes.append(addingCapacity: count) { (span: inout OutputSpan<UInt8>) in
                unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
                    guard let start = buffer.baseAddress else { return }
                    unsafe start.initialize(repeating: 0, count: prefixBytes)
                    unsafe protobuf_c_message_pack(message, start + prefixBytes)
                    initializedCount = count
                }
            }
            return bytes
        }
    }

    /// Runs `body` with an arena whose first kilobyte is on the stack.
    @inline(__always)
    private static func withArena<Result, Failure: Error>(
        budgetBytes: Int, _ body: (UnsafeMutablePointer<Arena>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe withUnsafeTemporaryAllocation(byteCount: 1024, alignment: Arena.alignment) {
            (stack) throws(Failure) -> Result in
            var arena = unsafe Arena(startingWith: stack, budgetBytes: budgetBytes)
            defer { arena.release() }
            return try unsafe withUnsafeMutablePointer(to: &arena) { (arena) throws(Failure) -> Result in
                try unsafe body(arena)
            }
        }
    }
}
