/// Whole messages to gzip and back (RFC 1952).
///
/// Any thread; keeps nothing between calls.
public enum Gzip {
    private static let deflate = Deflate(windowBits: 31)

    /// - Parameter level: zlib's: 1 is fastest, 9 smallest.
    public static func compress(_ bytes: [UInt8], level: Int = 6) -> [UInt8] {
        deflate.compress(bytes, level: level)
    }

    /// - Parameter limit: bytes that may come out, at least 0. Memory grows with what comes out, never past this.
    public static func decompress(_ bytes: [UInt8], limit: Int) throws(DecompressionError) -> [UInt8] {
        try deflate.decompress(bytes, limit: limit)
    }
}
