internal import CNGHTTP2
internal import Glibc

/// The library's memory: small blocks wait for their next use in lists of their size, one set of lists per thread.
///
/// A call makes and drops about eight blocks, and with a hundred calls at once they overflow the caches of malloc; the
/// lists do not. A block may be given back on another thread than it came from: it then waits there.
@safe enum BlockPool {
    static var functions: nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: nil,
            malloc: { size, _ in unsafe BlockPool.take(size) },
            free: { block, _ in unsafe BlockPool.giveBack(block) },
            calloc: { count, size, _ in unsafe BlockPool.takeZeroed(count, of: size) },
            realloc: { block, size, _ in unsafe BlockPool.resize(block, size) })
    }

    /// Blocks of up to this size are pooled, in classes of `classBytes`.
    private static let largestBytes = 512
    private static let classBytes = 64
    /// Blocks that wait in one list at most: together not over 1.2 MB a thread.
    private static let listLimit: Int32 = 512
    /// In front of each block: its class, 0 for one that is not pooled. Keeps the alignment of malloc.
    private static let prefixBytes = 16

    @safe private struct Lists {
        /// The first waiting block of each class; a waiting block begins with the address of the next.
        var first = unsafe InlineArray<9, UnsafeMutableRawPointer?>(repeating: nil)
        var counts = InlineArray<9, Int32>(repeating: 0)
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = unsafe pthread_key_create(&key) { lists in
            guard let lists = unsafe lists?.assumingMemoryBound(to: Lists.self) else { return }
            for index in unsafe lists.pointee.first.indices {
                while let block = unsafe lists.pointee.first[index] {
                    unsafe lists.pointee.first[index] = block.load(as: UnsafeMutableRawPointer?.self)
                    unsafe Glibc.free(block - prefixBytes)
                }
            }
            unsafe lists.deallocate()
        }
        precondition(result == 0, "pthread_key_create failed with \(result)")
        return key
    }()

    private static func lists() -> UnsafeMutablePointer<Lists> {
        if let lists = unsafe pthread_getspecific(key) { return unsafe lists.assumingMemoryBound(to: Lists.self) }
        let lists = UnsafeMutablePointer<Lists>.allocate(capacity: 1)
        unsafe lists.initialize(to: Lists())
        let result = unsafe pthread_setspecific(key, lists)
        precondition(result == 0, "pthread_setspecific failed with \(result)")
        return unsafe lists
    }

    static func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard bytes <= largestBytes else {
            guard bytes <= Int.max - prefixBytes else { return nil }
            return unsafe prefixed(Glibc.malloc(bytes + prefixBytes), 0)
        }
        let index = max(1, (bytes + classBytes - 1) / classBytes)
        let lists = unsafe lists()
        guard let block = unsafe lists.pointee.first[index] else {
            return unsafe prefixed(Glibc.malloc(index * classBytes + prefixBytes), index)
        }
        unsafe lists.pointee.first[index] = block.load(as: UnsafeMutableRawPointer?.self)
        unsafe lists.pointee.counts[index] -= 1
        return unsafe block
    }

    static func takeZeroed(_ count: Int, of bytes: Int) -> UnsafeMutableRawPointer? {
        let (sum, overflow) = count.multipliedReportingOverflow(by: bytes)
        guard !overflow, let block = unsafe take(sum) else { return nil }
        return unsafe memset(block, 0, sum)
    }

    static func giveBack(_ block: UnsafeMutableRawPointer?) {
        guard let block = unsafe block else { return }
        let index = unsafe sizeClass(block)
        guard index > 0 else { return unsafe Glibc.free(block - prefixBytes) }
        let lists = unsafe lists()
        guard unsafe lists.pointee.counts[index] < listLimit else { return unsafe Glibc.free(block - prefixBytes) }
        unsafe block.storeBytes(of: lists.pointee.first[index], as: UnsafeMutableRawPointer?.self)
        unsafe lists.pointee.first[index] = block
        unsafe lists.pointee.counts[index] += 1
    }

    static func resize(_ block: UnsafeMutableRawPointer?, _ bytes: Int) -> UnsafeMutableRawPointer? {
        guard let block = unsafe block else { return unsafe take(bytes) }
        let index = unsafe sizeClass(block)
        if index == 0 {
            guard bytes <= Int.max - prefixBytes else { return nil }
            return unsafe prefixed(Glibc.realloc(block - prefixBytes, bytes + prefixBytes), 0)
        }
        guard bytes > index * classBytes else { return unsafe block }
        guard let larger = unsafe take(bytes) else { return nil }
        unsafe larger.copyMemory(from: block, byteCount: index * classBytes)
        unsafe giveBack(block)
        return unsafe larger
    }

    private static func prefixed(_ start: UnsafeMutableRawPointer?, _ index: Int) -> UnsafeMutableRawPointer? {
        guard let start = unsafe start else { return nil }
        unsafe start.storeBytes(of: index, as: Int.self)
        return unsafe start + prefixBytes
    }

    private static func sizeClass(_ block: UnsafeMutableRawPointer) -> Int {
        unsafe (block - prefixBytes).load(as: Int.self)
    }
}
