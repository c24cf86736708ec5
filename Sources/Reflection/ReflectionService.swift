public import RPCCore

extension ServiceRegistry {
    /// Lets clients ask what is served here: `grpc.reflection.v1` and `grpc.reflection.v1alpha`.
    ///
    /// Call it last: it tells of the services that are registered by then, and of itself. Whoever may call the server may
    /// then see all its contracts, so a server that faces strangers should go without.
    public mutating func addReflection() {
        let alpha = Grpc_Reflection_V1alpha_ServerReflectionMethods.service
        let index = ReflectionIndex(services + [ServerReflectionMethods.service, alpha])
        let reflection = ReflectionService(index: index)
        add(reflection)
        describe(alpha)
        // The messages of both versions are the same on the wire.
        let method = MethodDescriptor(
            service: alpha.fullName, method: "ServerReflectionInfo", shape: .bidirectional,
            request: ServerReflectionMethods.serverReflectionInfo.request,
            response: ServerReflectionMethods.serverReflectionInfo.response)
        addBidirectional(method) {
            try await reflection.serverReflectionInfo($0, responses: $1, context: $2)
        }
    }
}

/// Answers from the index. A question that has no answer gets an error response and never ends the stream.
struct ReflectionService: ServerReflection {
    let index: ReflectionIndex

    func serverReflectionInfo(
        _ requests: RequestStream<ReflectionServerReflectionRequest>,
        responses: ResponseStream<ReflectionServerReflectionResponse>, context: ServerContext
    ) async throws {
        var sent: Set<String> = []
        for try await request in requests {
            try await responses.write(
                ReflectionServerReflectionResponse(
                    validHost: request.host, originalRequest: request,
                    messageResponse: answer(request.messageRequest, sent: &sent)))
        }
    }

    private func answer(
        _ question: ReflectionServerReflectionRequest.MessageRequest?, sent: inout Set<String>
    ) -> ReflectionServerReflectionResponse.MessageResponse {
        do throws(NotFound) {
            switch question {
            case .fileByFilename(let name): return files(try index.file(named: name), sent: &sent)
            case .fileContainingSymbol(let symbol): return files(try index.file(defining: symbol), sent: &sent)
            case .fileContainingExtension(let wanted):
                let file = try index.file(extending: wanted.containingType, by: wanted.extensionNumber)
                return files(file, sent: &sent)
            case .allExtensionNumbersOfType(let message):
                let numbers = try index.extensionNumbers(of: message)
                return .allExtensionNumbersResponse(
                    ReflectionExtensionNumberResponse(baseTypeName: message, extensionNumber: numbers))
            case .listServices:
                return .listServicesResponse(
                    ReflectionListServiceResponse(
                        service: index.serviceNames.map { ReflectionServiceResponse(name: $0) }))
            case nil: return error(.invalidArgument, "the request asks nothing")
            }
        } catch {
            return self.error(.notFound, "\(error.what) is not known here")
        }
    }

    private func files(
        _ file: ReflectionIndex.File, sent: inout Set<String>
    ) -> ReflectionServerReflectionResponse.MessageResponse {
        let files = index.closure(of: file, without: &sent)
        return .fileDescriptorResponse(ReflectionFileDescriptorResponse(fileDescriptorProto: files.map(\.bytes)))
    }

    private func error(
        _ code: Status.Code, _ message: String
    ) -> ReflectionServerReflectionResponse.MessageResponse {
        .errorResponse(ReflectionErrorResponse(errorCode: Int32(code.rawValue), errorMessage: message))
    }
}
