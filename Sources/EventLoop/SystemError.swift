internal import Glibc

/// A failed system call: its name and the error number it left.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    public init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The error of the call that has just failed on this thread.
    public static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }

    /// Nothing was there to read or the buffer was full: try again when the descriptor is ready.
    public var wouldBlock: Bool { code == EAGAIN || code == EWOULDBLOCK }

    public var description: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            // The XSI form: 0 when the text was written.
            let known = unsafe strerror_r(code, buffer.baseAddress!, buffer.count) == 0
            return known ? unsafe "\(call): \(String(cString: buffer.baseAddress!))" : "\(call): error \(code)"
        }
    }
}
