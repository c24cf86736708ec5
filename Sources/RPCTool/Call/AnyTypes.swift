package import Protobuf

extension DynamicMessage {
    /// The types that the `Any`s in this message hold and that `types` does not know, as far as they can be looked into.
    package func unknownAnyTypes(_ types: SchemaPool) -> Set<String> {
        var found: Set<String> = []
        var pending: [DynamicMessage] = [self]
        // What is packed in an Any is decoded again, so a message of n bytes leads to at most n levels: bounded.
        while let message = pending.popLast() {
            if message.schema.fullName == "google.protobuf.Any" {
                guard case .string(let url)? = message["type_url"], let slash = url.lastIndex(of: "/") else { continue }
                guard let schema = types.message(ofTypeURL: url) else {
                    found.insert(String(url[url.index(after: slash)...]))
                    continue
                }
                if case .bytes(let bytes)? = message["value"],
                    let content = try? DynamicMessage(decoding: bytes, as: schema)
                {
                    pending.append(content)
                }
                continue
            }
            for field in message.schema.fields {
                guard case .message = field.kind, let value = message[field] else { continue }
                switch value {
                case .message(let inner): pending.append(inner)
                case .repeated(let elements): pending += elements.compactMap(\.innerMessage)
                case .map(let entries): pending += entries.values.compactMap(\.innerMessage)
                default: break
                }
            }
        }
        return found
    }
}

extension DynamicValue {
    fileprivate var innerMessage: DynamicMessage? { if case .message(let message) = self { message } else { nil } }
}

/// The types that are known, and those that turn up in replies, asked for once.
package struct LearnedTypes {
    package private(set) var types: SchemaPool
    private let source: (any SchemaSource)?
    private var asked: Set<String> = []

    /// - Parameter source: where unknown types are asked for; nil asks nowhere.
    package init(_ types: SchemaPool, source: (any SchemaSource)?) {
        self.types = types
        self.source = source
    }

    /// Looks up what is unknown in a message. What cannot be found stays unknown, and is shown as bytes.
    package mutating func learn(from message: DynamicMessage) async {
        guard let source else { return }
        while true {
            let wanted = message.unknownAnyTypes(types).subtracting(asked)
            guard !wanted.isEmpty else { return }
            for name in wanted.sorted() {
                asked.insert(name)
                if let schema = try? await source.schema(of: name) { types.add(schema.types) }
            }
        }
    }
}
