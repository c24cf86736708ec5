internal import CNGHTTP2
internal import Glibc

/// Memory for the library: small blocks wait for their next use in lists of their size.
///
/// A call makes and drops about eight blocks, and with a hundred calls at once they overflow the caches of malloc; the
/// lists do not. The sessions of one thread may share a pool; confine it to that thread.
@safe public final class BlockPool {
    private let lists: UnsafeMutablePointer<BlockLists>

    public init() {
        unsafe lists = .allocate(capacity: 1)
        unsafe lists.initialize(to: BlockLists())
    }

    deinit {
        unsafe lists.pointee.freeAll()
        unsafe lists.deallocate()
    }

    /// For sessions that this pool outlives.
    var functions: nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: UnsafeMutableRawPointer(lists),
            malloc: { size, lists in unsafe BlockLists.at(lists).pointee.take(size) },
            free: { block, lists in unsafe BlockLists.at(lists).pointee.giveBack(block) },
            calloc: { count, size, lists in unsafe BlockLists.at(lists).pointee.takeZeroed(count, of: size) },
            realloc: { block, size, lists in unsafe BlockLists.at(lists).pointee.resize(block, size) })
    }
}

/// The blocks of one pool that wait.
@safe struct BlockLists {
    /// Blocks of up to this size are pooled, in classes of `classBytes`.
    private static let largestBytes = 512
    private static let classBytes = 64
    /// Blocks that wait in one list at most: together not over 1.2 MB a pool.
    private static let listLimit: Int32 = 512
    /// In front of each block: its class, 0 for one that is not pooled. Keeps the alignment of malloc.
    private static let prefixBytes = 16

    /// The first waiting block of each class; a waiting block begins with the address of the next.
    private var first = unsafe InlineArray<9, UnsafeMutableRawPointer?>(repeating: nil)
    private var counts = InlineArray<9, Int32>(repeating: 0)

    @inline(__always)
    static func at(_ address: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<BlockLists> {
        unsafe address!.assumingMemoryBound(to: BlockLists.self)
    }

    mutating func freeAll() {
        for index in unsafe first.indices {
            while let block = unsafe first[index] {
                unsafe first[index] = block.load(as: UnsafeMutableRawPointer?.self)
                unsafe Glibc.free(block - Self.prefixBytes)
            }
        }
    }

    mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard bytes <= Self.largestBytes else {
            guard bytes <= Int.max - Self.prefixBytes else { return nil }
            return unsafe prefixed(Glibc.malloc(bytes + Self.prefixBytes), 0)
        }
        let index = max(1, (bytes + Self.classBytes - 1) / Self.classBytes)
        guard let block = unsafe first[index] else {
            return unsafe prefixed(Glibc.malloc(index * Self.classBytes + Self.prefixBytes), index)
        }
        unsafe first[index] = block.load(as: UnsafeMutableRawPointer?.self)
        counts[index] -= 1
        return unsafe block
    }

    mutating func takeZeroed(_ count: Int, of bytes: Int) -> UnsafeMutableRawPointer? {
        let (sum, overflow) = count.multipliedReportingOverflow(by: bytes)
        guard !overflow, let block = unsafe take(sum) else { return nil }
        return unsafe memset(block, 0, sum)
    }

    mutating func giveBack(_ block: UnsafeMutableRawPointer?) {
        guard let block = unsafe block else { return }
        let index = unsafe sizeClass(block)
        guard index > 0 else { return unsafe Glibc.free(block - Self.prefixBytes) }
        guard counts[index] < Self.listLimit else { return unsafe Glibc.free(block - Self.prefixBytes) }
        unsafe block.storeBytes(of: first[index], as: UnsafeMutableRawPointer?.self)
        unsafe first[index] = block
        counts[index] += 1
    }

    mutating func resize(_ block: UnsafeMutableRawPointer?, _ bytes: Int) -> UnsafeMutableRawPointer? {
        guard let block = unsafe block else { return unsafe take(bytes) }
        let index = unsafe sizeClass(block)
        if index == 0 {
            guard bytes <= Int.max - Self.prefixBytes else { return nil }
            return unsafe prefixed(Glibc.realloc(block - Self.prefixBytes, bytes + Self.prefixBytes), 0)
        }
        guard bytes > index * Self.classBytes else { return unsafe block }
        guard let larger = unsafe take(bytes) else { return nil }
        unsafe larger.copyMemory(from: block, byteCount: index * Self.classBytes)
        unsafe giveBack(block)
        return unsafe larger
    }

    private func prefixed(_ start: UnsafeMutableRawPointer?, _ index: Int) -> UnsafeMutableRawPointer? {
        guard let start = unsafe start else { return nil }
        unsafe start.storeBytes(of: index, as: Int.self)
        return unsafe start + Self.prefixBytes
    }

    private func sizeClass(_ block: UnsafeMutableRawPointer) -> Int {
        unsafe (block - Self.prefixBytes).load(as: Int.self)
    }
}
