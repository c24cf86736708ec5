import RPCCodegen
import SwiftProtobufPluginLibrary

/// `protoc-gen-meridian`: reads a request of protoc from standard input, writes the answer to standard output.
@main
struct Plugin {
    static func main() { Generator().main(nil) }
}
