/// The Castagnoli checksum (polynomial 0x1EDC6F41, reflected), as iSCSI and ext4 use it. Source: RFC 3720, B.4.
package struct CRC32C: Sendable {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    private var state = UInt32.max

    package init() {}

    package mutating func combine(_ bytes: some Sequence<UInt8>) {
        let table = Self.table
        for byte in bytes { state = state >> 8 ^ table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] }
    }

    package var value: UInt32 { ~state }
}
