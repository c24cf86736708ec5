internal import CNGHTTP2
internal import DequeModule

/// A piece of a stream's data on its way out: a few bytes of prefix, then a body, without joining them.
public struct OutboundChunk: Sendable {
    var prefix: UInt64
    var prefixCount: Int
    var body: [UInt8]

    public init(_ body: [UInt8]) {
        prefix = 0
        prefixCount = 0
        self.body = body
    }

    /// - Parameters:
    ///   - prefix: the bytes before the body, the first in the most significant of the low `prefixCount` bytes.
    ///   - prefixCount: 0 to 8.
    public init(prefix: UInt64, prefixCount: Int, body: [UInt8]) {
        precondition((0...8).contains(prefixCount), "a prefix has at most 8 bytes")
        self.prefix = prefix
        self.prefixCount = prefixCount
        self.body = body
    }

    var count: Int { prefixCount + body.count }
}

/// Data of one stream that the peer's window has not let through yet. The writer asks `byteCount` before adding.
struct OutboundQueue {
    /// Not yet handed to the library.
    private(set) var byteCount = 0
    private var first: OutboundChunk?
    /// Nil until a second chunk waits.
    private var rest: Deque<OutboundChunk>?
    /// Of the first chunk, already gone.
    private var offset = 0

    var isEmpty: Bool { first == nil }

    mutating func append(_ chunk: OutboundChunk) {
        guard chunk.count > 0 else { return }
        byteCount += chunk.count
        guard first != nil else {
            first = chunk
            return
        }
        if rest == nil { rest = [] }
        rest?.append(chunk)
    }

    /// Moves bytes from the front into `buffer` and returns their number.
    mutating func move(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < buffer.count, first != nil {
            let space = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = unsafe first!.copy(from: offset, into: space)
            filled += count
            offset += count
            guard offset == first!.count else { break }
            first = rest?.popFirst()
            offset = 0
        }
        byteCount -= filled
        return filled
    }

    mutating func removeAll() {
        first = nil
        rest = nil
        offset = 0
        byteCount = 0
    }
}

extension OutboundChunk {
    /// Copies what fits of the bytes from `offset` on and returns their number.
    fileprivate func copy(from offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        var position = offset
        if position == 0, buffer.count >= 8 {
            // All at once; what is written past the prefix is overwritten next, or not counted.
            let word = (prefix << UInt64((8 - prefixCount) * 8)).bigEndian
            unsafe buffer.storeBytes(of: prefixCount == 0 ? 0 : word, as: UInt64.self)
            filled = prefixCount
            position = prefixCount
        }
        while position < prefixCount, filled < buffer.count {
            let shift = UInt64((prefixCount - 1 - position) * 8)
            unsafe buffer[filled] = UInt8(truncatingIfNeeded: prefix >> shift)
            filled += 1
            position += 1
        }
        guard position >= prefixCount else { return filled }
        let start = position - prefixCount
        let count = min(body.count - start, buffer.count - filled)
        guard count > 0 else { return filled }
        unsafe body.withUnsafeBytes { body in
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            unsafe target.copyMemory(from: .init(rebasing: body[start..<(start + count)]))
        }
        return filled + count
    }
}
