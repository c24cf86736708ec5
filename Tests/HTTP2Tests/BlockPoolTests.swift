import Testing

@testable import HTTP2

@Suite struct BlockPoolTests {
    /// Random use beside a model: no block overlaps another, none loses its content.
    @Test func blocksKeepTheirContent() {
        var lists = BlockLists()
        defer { lists.freeAll() }
        var random = SystemRandomNumberGenerator()
        var blocks: [(block: UnsafeMutableRawPointer, bytes: Int, fill: UInt8)] = unsafe []
        func check(_ index: Int, _ bytes: Int) {
            let found = unsafe UnsafeRawBufferPointer(start: blocks[index].block, count: bytes)
            let fill = unsafe blocks[index].fill
            #expect(unsafe found.allSatisfy { $0 == fill })
        }
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let bytes = Int.random(in: 0...700, using: &random)
                guard let block = unsafe lists.take(bytes) else {
                    Issue.record("no memory")
                    return
                }
                let fill = UInt8.random(in: 0...255, using: &random)
                unsafe block.initializeMemory(as: UInt8.self, repeating: fill, count: bytes)
                #expect(Int(bitPattern: block) % 16 == 0)
                unsafe blocks.append((block, bytes, fill))
            case 2 where unsafe !blocks.isEmpty:
                let index = unsafe Int.random(in: 0..<blocks.count, using: &random)
                let bytes = Int.random(in: 1...1_500, using: &random)
                guard let block = unsafe lists.resize(blocks[index].block, bytes) else {
                    Issue.record("no memory")
                    return
                }
                unsafe blocks[index].block = block
                let kept = unsafe min(blocks[index].bytes, bytes)
                check(index, kept)
                unsafe block.initializeMemory(as: UInt8.self, repeating: blocks[index].fill, count: bytes)
                unsafe blocks[index].bytes = bytes
            case 3 where unsafe !blocks.isEmpty:
                let index = unsafe Int.random(in: 0..<blocks.count, using: &random)
                unsafe check(index, blocks[index].bytes)
                unsafe blocks.swapAt(index, blocks.count - 1)
                unsafe lists.giveBack(blocks.removeLast().block)
            default: break
            }
        }
        for index in unsafe blocks.indices {
            unsafe check(index, blocks[index].bytes)
            unsafe lists.giveBack(blocks[index].block)
        }
    }

    @Test func whatIsTooLargeIsRefused() {
        var lists = BlockLists()
        defer { lists.freeAll() }
        unsafe #expect(lists.take(.max) == nil)
        unsafe #expect(lists.takeZeroed(.max, of: 2) == nil)
        let block = unsafe lists.takeZeroed(100, of: 2)
        #expect(unsafe UnsafeRawBufferPointer(start: block, count: 200).allSatisfy { $0 == 0 })
        unsafe lists.giveBack(block)
    }
}
