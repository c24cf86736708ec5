import CProtobufC

#if canImport(Glibc)
    import Glibc
#endif

/// Memory for one decoding or encoding: handed out in order, given back all at once.
///
/// protobuf-c allocates from it while it unpacks. Its `free` does nothing, so neither an error path of the C library
/// nor a merge can free twice. The first bytes come from the caller's stack; further ones from `malloc`, up to a budget.
@safe @usableFromInline
struct Arena {
    private var next: UnsafeMutableRawPointer
    private var end: UnsafeMutableRawPointer
    private var remainingBytes: Int
    /// The newest chunk from `malloc`; its first word points to the chunk before it.
    private var newestChunk: UnsafeMutableRawPointer?
    private(set) var isExhausted = false

    static let alignment = 16

    init(startingWith first: UnsafeMutableRawBufferPointer, budgetBytes: Int) {
        unsafe next = first.baseAddress!
        unsafe end = first.baseAddress! + first.count
        remainingBytes = budgetBytes
        unsafe newestChunk = nil
    }

    /// `count` bytes of uninitialised memory aligned to 16 bytes, or nil when the budget is used up.
    @inline(__always)
    mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count >= 0, count <= remainingBytes else {
            isExhausted = true
            return nil
        }
        let rounded = (count &+ (Self.alignment - 1)) & ~(Self.alignment - 1)
        remainingBytes -= rounded
        let start = unsafe next
        if unsafe rounded <= end - start {
            unsafe next = start + rounded
            return unsafe start
        }
        return unsafe allocateInNewChunk(rounded)
    }

    @inline(never)
    private mutating func allocateInNewChunk(_ count: Int) -> UnsafeMutableRawPointer? {
        let chunkBytes = max(4096, count + Self.alignment)
        guard let chunk = unsafe malloc(chunkBytes) else {
            isExhausted = true
            return nil
        }
        unsafe chunk.storeBytes(of: newestChunk, as: UnsafeMutableRawPointer?.self)
        unsafe newestChunk = chunk
        let start = unsafe chunk + Self.alignment
        if count + Self.alignment < chunkBytes {
            unsafe next = start + count
            unsafe end = chunk + chunkBytes
        }
        return unsafe start
    }

    /// Gives all memory back; nothing from this arena may be used afterwards.
    mutating func release() {
        while let chunk = unsafe newestChunk {
            unsafe newestChunk = chunk.load(as: UnsafeMutableRawPointer?.self)
            unsafe free(chunk)
        }
    }

    /// The C library's view of `arena`, which must stay where it is while the library uses it.
    static func allocator(over arena: UnsafeMutablePointer<Arena>) -> ProtobufCAllocator {
        unsafe ProtobufCAllocator(
            alloc: { data, count in
                unsafe data!.assumingMemoryBound(to: Arena.self).pointee.allocate(count)
            },
            free: { _, _ in },
            allocator_data: UnsafeMutableRawPointer(arena)
        )
    }
}
