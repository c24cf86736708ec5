import Compression
import Testing

@Test(arguments: [0, 1, 100, 16_383, 16_384, 16_385, 100_000, 4 << 20])
func whatIsCompressedComesBack(_ count: Int) throws {
    let compressible = [UInt8](repeating: 7, count: count)
    var random = SystemRandomNumberGenerator()
    let noise = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    for bytes in [compressible, noise] {
        let packed = Gzip.compress(bytes)
        #expect(try Gzip.decompress(packed, limit: count) == bytes)
        #expect(packed.starts(with: [0x1f, 0x8b, 8]))
    }
    #expect(count < 1000 || Gzip.compress(compressible).count < count / 100)
}

@Test func aBombStopsAtTheLimit() throws {
    // 64 MiB of zeros in some 64 KiB.
    let bomb = Gzip.compress([UInt8](repeating: 0, count: 64 << 20), level: 9)
    #expect(bomb.count < 128 << 10)
    #expect(throws: DecompressionError.tooLarge(limit: 4 << 20)) { try Gzip.decompress(bomb, limit: 4 << 20) }
    #expect(throws: DecompressionError.tooLarge(limit: 0)) { try Gzip.decompress(Gzip.compress([1]), limit: 0) }
}

@Test func damageIsFound() throws {
    let message = Array("an order for one share of Apple, an order for one share of Apple".utf8)
    let packed = Gzip.compress(message)
    for count in 0..<packed.count {
        #expect(throws: DecompressionError.malformed) { try Gzip.decompress(Array(packed[..<count]), limit: 1000) }
    }
    #expect(throws: DecompressionError.malformed) { try Gzip.decompress(packed + [0], limit: 1000) }
    var checksum = packed
    checksum[packed.count - 8] ^= 1
    #expect(throws: DecompressionError.malformed) { try Gzip.decompress(checksum, limit: 1000) }
}

@Test func randomBytesNeverTrap() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
        let noise = (0..<50).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        #expect(throws: DecompressionError.self) { try Gzip.decompress([0x1f, 0x8b, 8] + noise, limit: 1 << 20) }
    }
}

@Test func deflateIsInZlibsForm() throws {
    // RFC 1950: 32 KiB window and deflate, then the check of the first two bytes; an Adler-32 at the end.
    let message = Array("an order for one share of Apple, an order for one share of Apple".utf8)
    let packed = Zlib.compress(message)
    #expect(packed[0] == 0x78 && (Int(packed[0]) << 8 | Int(packed[1])) % 31 == 0 && packed.count < message.count)
    #expect(try Zlib.decompress(packed, limit: message.count) == message)
    for count in 0..<packed.count {
        #expect(throws: DecompressionError.malformed) { try Zlib.decompress(Array(packed[..<count]), limit: 1000) }
    }
    #expect(throws: DecompressionError.malformed) { try Zlib.decompress(packed + [0], limit: 1000) }
    #expect(throws: DecompressionError.tooLarge(limit: 10)) { try Zlib.decompress(packed, limit: 10) }
    #expect(throws: DecompressionError.malformed) { try Gzip.decompress(packed, limit: 1000) }
    #expect(throws: DecompressionError.malformed) { try Zlib.decompress(Gzip.compress(message), limit: 1000) }
}
