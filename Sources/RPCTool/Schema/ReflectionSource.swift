import Limits
import Protobuf
package import RPCCore
import Reflection
import Synchronization

/// What a server says about itself: `grpc.reflection.v1`, or `v1alpha` when it refuses the first in whatever way.
///
/// Source: grpc/proposal, and the comments in `reflection.proto`.
package final class ReflectionSource: SchemaSource {
    /// The two versions differ in their package only; their messages are the same on the wire.
    private enum Version: String, CaseIterable {
        case v1 = "grpc.reflection.v1"
        case v1alpha = "grpc.reflection.v1alpha"

        var path: String { "/\(rawValue).ServerReflection/ServerReflectionInfo" }
    }

    /// Files that one question may lead to. A server could name imports without end.
    private static let fileLimit = 10_000
    /// Of one answer, which may hold all files at once; the limit for replies of calls says nothing about it.
    private static let answerLimitBytes = 64 << 20

    package let name: String
    private let channel: any RPCChannel
    private let metadata: Metadata
    private let limit: Duration
    /// The version that answered, and the files that came, by name.
    private let known = Mutex<(version: Version?, files: [String: Google_Protobuf_FileDescriptorProto])>((nil, [:]))

    /// - Parameters:
    ///   - metadata: goes with each question.
    ///   - limit: how long one operation may take.
    package init(_ channel: any RPCChannel, target: String, metadata: Metadata = [:], limit: Duration = .seconds(30)) {
        self.channel = channel
        self.metadata = metadata
        self.limit = limit
        name = "the reflection of \(target)"
    }

    /// `grpc.reflection.v1` or `grpc.reflection.v1alpha`, once one of them has answered.
    package var version: String? { known.withLock { $0.version?.rawValue } }

    package func serviceNames() async throws -> [String] {
        try await ask { questions in try await questions.serviceNames() }
    }

    package func schema(of symbol: String) async throws -> Schema {
        let symbol = ProtoName.absolute(symbol).split(separator: "/").joined(separator: ".")
        return try await ask { questions in
            try Schema(try await self.files(defining: symbol, questions), from: self.name)
        }
    }

    package func everything() async throws -> Schema {
        try await ask { questions in
            var files: [Google_Protobuf_FileDescriptorProto] = []
            for service in try await questions.serviceNames() {
                files += try await self.files(defining: service, questions)
            }
            return try Schema(files, from: self.name)
        }
    }

    // MARK: Files

    /// The files that define a symbol, with all that they import.
    private func files(
        defining symbol: String, _ questions: ReflectionQuestions
    ) async throws -> [Google_Protobuf_FileDescriptorProto] {
        var wanted: [String] = []
        for file in try await filesWithScope(of: symbol, questions) { wanted.append(remember(file)) }
        var files: [Google_Protobuf_FileDescriptorProto] = []
        var seen: Set<String> = []
        while let name = wanted.popLast() {
            guard seen.insert(name).inserted else { continue }
            guard seen.count <= Self.fileLimit else {
                throw ToolFailure.noSchema("\(self.name) leads to more than \(Self.fileLimit) files.")
            }
            let file = try await file(named: name, questions)
            files.append(file)
            wanted += file.dependency
        }
        return files
    }

    /// Some servers know messages, enums and services only: then what stands around the symbol leads to the file.
    private func filesWithScope(
        of symbol: String, _ questions: ReflectionQuestions
    ) async throws -> [Google_Protobuf_FileDescriptorProto] {
        do {
            return try await questions.files(.fileContainingSymbol(symbol))
        } catch let refusal as ToolFailure {
            guard let dot = symbol.lastIndex(of: "."), case .noSchema = refusal else { throw refusal }
            let scope = String(symbol[..<dot])
            let files: [Google_Protobuf_FileDescriptorProto]
            do {
                files = try await questions.files(.fileContainingSymbol(scope))
            } catch is ToolFailure {
                throw refusal
            }
            guard Schema.defines(symbol, in: files) else { throw refusal }
            return files
        }
    }

    private func file(
        named name: String, _ questions: ReflectionQuestions
    ) async throws -> Google_Protobuf_FileDescriptorProto {
        if let file = known.withLock({ $0.files[name] }) { return file }
        for file in try await questions.files(.fileByFilename(name)) { _ = remember(file) }
        guard let file = known.withLock({ $0.files[name] }) else {
            throw ToolFailure.noSchema("\(self.name) answered the question for \(name) with other files.")
        }
        return file
    }

    private func remember(_ file: Google_Protobuf_FileDescriptorProto) -> String {
        let name = file.name ?? ""
        known.withLock { known in
            if known.files[name] == nil { known.files[name] = file }
        }
        return name
    }

    // MARK: Versions

    /// Runs `body` with a conversation in the version that the server speaks.
    private func ask<Result: Sendable>(
        _ body: (ReflectionQuestions) async throws -> Result
    ) async throws -> Result {
        try await Deadline.within(limit) {
            if let version = known.withLock({ $0.version }) { return try await converse(version, body) }
            var refusals: [(Version, Status)] = []
            for version in Version.allCases {
                do {
                    let result = try await converse(version, body)
                    return result
                } catch let status as Status {
                    // The same would happen to the other version.
                    if status.isNoConnection { throw ToolFailure.notConnected(status.message) }
                    if Deadline.current?.hasPassed == true || Task.isCancelled { throw status }
                    refusals.append((version, status))
                }
            }
            let answers = refusals.map { "\($0.rawValue) was answered with \($1)" }.joined(separator: "; ")
            throw ToolFailure.noSchema("\(name) is not to be had: \(answers).")
        }
    }

    private func converse<Result: Sendable>(
        _ version: Version, _ body: (ReflectionQuestions) async throws -> Result
    ) async throws -> Result {
        let options = CallOptions(metadata: metadata, maximumResponseBytes: Self.answerLimitBytes)
        return try await channel.withCall(version.path, options: options) { call in
            let questions = ReflectionQuestions(call, name) {
                self.known.withLock { $0.version = version }
            }
            let result = try await body(questions)
            await call.finishSending()
            return result
        }
    }
}

/// Questions and answers on one call, in turn.
private struct ReflectionQuestions {
    private let call: any ClientCall
    private let name: String
    private let answered: () -> Void

    /// - Parameter answered: called when the server has answered, be it with an error: it speaks this version.
    init(_ call: any ClientCall, _ name: String, answered: @escaping () -> Void) {
        self.call = call
        self.name = name
        self.answered = answered
    }

    func serviceNames() async throws -> [String] {
        guard case .listServicesResponse(let list)? = try await ask(.listServices("*")) else {
            throw ToolFailure.noSchema("\(name) did not list its services.")
        }
        return Set(list.service.map(\.name)).sorted()
    }

    func files(
        _ question: ReflectionServerReflectionRequest.MessageRequest
    ) async throws -> [Google_Protobuf_FileDescriptorProto] {
        guard case .fileDescriptorResponse(let answer)? = try await ask(question) else {
            throw ToolFailure.noSchema("\(name) gave no files.")
        }
        do {
            return try answer.fileDescriptorProto.map { try Google_Protobuf_FileDescriptorProto(decoding: $0) }
        } catch {
            throw ToolFailure.noSchema("\(name) gave a file that cannot be read: \(error)")
        }
    }

    private func ask(
        _ question: ReflectionServerReflectionRequest.MessageRequest
    ) async throws -> ReflectionServerReflectionResponse.MessageResponse? {
        do {
            try await call.send(ReflectionServerReflectionRequest(messageRequest: question).encoded())
        } catch is CallEnded {
            // What the server said instead follows.
        }
        guard let bytes = try await call.receive() else {
            throw Status(.unimplemented, "the call ended without an answer")
        }
        answered()
        let response: ReflectionServerReflectionResponse
        do {
            response = try ReflectionServerReflectionResponse(decoding: bytes)
        } catch {
            throw ToolFailure.noSchema("\(name) cannot be read: \(error)")
        }
        if case .errorResponse(let error)? = response.messageResponse {
            let code = Status.Code(rawValue: Int(error.errorCode)).map { "\($0)" } ?? "error \(error.errorCode)"
            throw ToolFailure.noSchema("\(name) said \(code): \(error.errorMessage) (asked for \(question.subject))")
        }
        return response.messageResponse
    }
}

extension ReflectionServerReflectionRequest.MessageRequest {
    fileprivate var subject: String {
        switch self {
        case .fileByFilename(let name): "the file \(name)"
        case .fileContainingSymbol(let symbol): "the symbol \(symbol)"
        case .fileContainingExtension(let request): "extension \(request.extensionNumber) of \(request.containingType)"
        case .allExtensionNumbersOfType(let type): "the extensions of \(type)"
        case .listServices: "the services"
        }
    }
}

extension Status {
    /// The call never left, since there is no connection.
    package var isNoConnection: Bool { code == .unavailable && certainty == .notProcessed }
}
