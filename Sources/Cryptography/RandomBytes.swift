internal import COpenSSL

/// Random bytes fit for keys and tokens. Traps when the system cannot provide them.
public func randomBytes(_ count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
        precondition(unsafe RAND_bytes(output.baseAddress, Int32(count)) == 1, "no random bytes")
        initialized = count
    }
}
