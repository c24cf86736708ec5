internal import Compression
internal import RPCCore

extension MessageEncoding {
    func compress(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .identity: bytes
        case .gzip: Gzip.compress(bytes)
        case .deflate: Zlib.compress(bytes)
        }
    }

    func decompress(_ bytes: [UInt8], limit: Int) throws(DecompressionError) -> [UInt8] {
        switch self {
        case .identity: bytes
        case .gzip: try Gzip.decompress(bytes, limit: limit)
        case .deflate: try Zlib.decompress(bytes, limit: limit)
        }
    }
}
