import SwiftProtobuf
public import SwiftProtobufPluginLibrary

/// The protoc plugin: Swift messages, clients and service protocols for `.proto` files.
///
/// For `x.proto` it writes `x.pb.swift` (messages and enums) and, if the file has services, `x.rpc.swift`. What it can
/// be asked for is in `GeneratorOptions`; what goes wrong is reported as `file:line: reason`.
public struct Generator: CodeGenerator {
    public init() {}

    public var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] { [.proto3Optional] }

    public func generate(
        files: [FileDescriptor],
        parameter: any CodeGeneratorParameter,
        protoCompilerContext: any ProtoCompilerContext,
        generatorOutputs: any GeneratorOutputs
    ) throws {
        let options = try GeneratorOptions(parameter.parsedPairs)
        let names = TypeNames(options: options, generated: Set(files.map(\.name)))
        try FileCheck(files: files, names: names).check()
        for file in files {
            let generator = FileGenerator(file: file, names: names)
            if options.messages, let text = try generator.messages() {
                try generatorOutputs.add(fileName: generator.outputName(".pb.swift"), contents: text)
            }
            if options.services, let text = try generator.services() {
                try generatorOutputs.add(fileName: generator.outputName(".rpc.swift"), contents: text)
            }
        }
    }
}
