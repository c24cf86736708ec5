/// The name of a service, what it offers and the `.proto` files behind it: for reflection, health and logs.
public struct ServiceDescriptor: Sendable, Hashable {
    public struct Method: Sendable, Hashable {
        public let name: String
        public let shape: CallShape

        public init(name: String, shape: CallShape) {
            self.name = name
            self.shape = shape
        }
    }

    /// With its package, such as `meridian.account.v1.AccountService`.
    public let fullName: String
    public let methods: [Method]
    private let encodedFiles: [String]

    /// - Parameter files: what `files` gives, each in base64.
    public init(fullName: String, methods: [Method], files: [String] = []) {
        self.fullName = fullName
        self.methods = methods
        encodedFiles = files
    }

    /// The `.proto` file that defines the service, behind all files that it imports, directly or through others.
    ///
    /// Each is a `google.protobuf.FileDescriptorProto` on the wire, without comments. Empty if the service was written
    /// by hand. Decoded anew at each use; base64 that is none is a programming error and traps.
    public var files: [[UInt8]] {
        encodedFiles.map { text in
            guard let bytes = Base64.decode(text.utf8) else {
                preconditionFailure("\(fullName): a file is not base64")
            }
            return bytes
        }
    }
}
