internal import Protobuf
internal import RPC
internal import RPCTool

extension FuzzTarget {
    /// A target says what it is in a form that names the same.
    static let target = FuzzTarget(
        "target", maximumBytes: 128,
        texts: [
            "host:80", "dns:///a.example:443", "ipv4:1.2.3.4:5,6.7.8.9", "ipv6:[::1]:2", "unix:///x", "[::1]:80", "::1",
            "unix-abstract:n", "unix:relative",
        ]
    ) { text in
        guard let target = try? Target(text) else { return }
        guard let again = try? Target(target.description) else {
            return hold(false, "\(target.description) is accepted")
        }
        hold(again.description == target.description, "\(again.description) is \(target.description)")
    }

    static let serviceConfig = FuzzTarget(
        "service-config",
        texts: [
            #"{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":"s"}}"#,
            #"""
            {"methodConfig":[{"name":[{"service":"a.B","method":"C"},{}],"timeout":"1.5s","waitForReady":true,
            "maxRequestMessageBytes":"10","retryPolicy":{"maxAttempts":3,"initialBackoff":"0.1s","maxBackoff":"1s",
            "backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE",8]}}],
            "retryThrottling":{"maxTokens":10,"tokenRatio":0.1}}
            """#,
        ]
    ) { text in
        guard let config = try? ServiceConfig(json: text) else { return }
        for method in config.methods {
            hold(method.timeout ?? .zero >= .zero, "time does not go back")
            hold((1...5).contains(method.retryPolicy?.maximumAttempts ?? 1), "attempts are few")
        }
        hold((try? ServiceConfig(json: text)) == config, "the same text says the same")
    }

    /// What a stranger's server reflects: every type of an accepted set works, and prints as a file.
    static let descriptorSet = FuzzTarget(
        "descriptor-set", maximumBytes: 4096,
        seeds: [
            Google_Protobuf_FileDescriptorSet(file: [
                Google_Protobuf_FileDescriptorProto(
                    name: "a.proto", package: "a",
                    messageType: [
                        Google_Protobuf_DescriptorProto(
                            name: "M",
                            field: [
                                Google_Protobuf_FieldDescriptorProto(
                                    name: "f", number: 1, label: .optional, type: .message, typeName: ".a.M"),
                                Google_Protobuf_FieldDescriptorProto(
                                    name: "g", number: 2, label: .repeated, type: .enum, typeName: ".a.E"),
                            ])
                    ],
                    enumType: [
                        Google_Protobuf_EnumDescriptorProto(
                            name: "E", value: [Google_Protobuf_EnumValueDescriptorProto(name: "Z", number: 0)])
                    ],
                    service: [
                        Google_Protobuf_ServiceDescriptorProto(
                            name: "S",
                            method: [
                                Google_Protobuf_MethodDescriptorProto(name: "C", inputType: ".a.M", outputType: ".a.M")
                            ])
                    ], syntax: "proto3")
            ]).encoded()
        ]
    ) { bytes in
        guard let set = try? Google_Protobuf_FileDescriptorSet(decoding: bytes),
            let schema = try? Schema(set.file, from: "fuzz")
        else { return }
        for name in schema.types.messageNames where !name.hasPrefix("google.") {
            guard let type = schema.types.message(named: name) else { return hold(false, "\(name) is there") }
            guard let empty = try? DynamicMessage(decoding: [], as: type) else { continue }
            hold(empty.encoded().isEmpty, "an empty message has no bytes")
            _ = try? empty.jsonString(options: JSONOptions(includesDefaults: true, types: schema.types))
        }
        for file in schema.files { _ = try? ProtoSource.text(of: file, in: schema) }
    }
}
