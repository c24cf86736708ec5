/// Memory of a loop for one synchronous read or write, shared by all its connections: an idle one needs no buffers.
///
/// Use it on the loop's thread, and keep nothing in it across a suspension or a return to the loop.
@safe public final class LoopScratch {
    /// For bytes that come from a socket.
    public let input: UnsafeMutableRawBufferPointer
    /// For bytes that go to a socket.
    public let output: UnsafeMutableRawBufferPointer

    /// For what is between the two when the bytes on the socket are encrypted.
    public let plaintext: UnsafeMutableRawBufferPointer

    init(inputBytes: Int = 64 << 10, outputBytes: Int = 128 << 10, plaintextBytes: Int = 64 << 10) {
        unsafe input = .allocate(byteCount: inputBytes, alignment: 16)
        unsafe plaintext = .allocate(byteCount: plaintextBytes, alignment: 16)
        unsafe output = .allocate(byteCount: outputBytes, alignment: 16)
    }

    deinit {
        unsafe input.deallocate()
        unsafe output.deallocate()
        unsafe plaintext.deallocate()
    }
}
