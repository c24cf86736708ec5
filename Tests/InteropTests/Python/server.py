"""Serves grpc.testing.TestService with grpcio until a signal ends it; prints one line with its address.

usage: server.py GENERATED [CERTIFICATE KEY]
"""

import sys
import time
from concurrent import futures

from contract import INITIAL, TRAILING, WHOLE, empty, grpc, messages, unpacking, zeros


def begin(context, compressing=False):
    if compressing:
        context.set_compression(grpc.Compression.Gzip)
    metadata = dict(context.invocation_metadata())
    if INITIAL in metadata:
        context.send_initial_metadata(((INITIAL, metadata[INITIAL]),))
    if TRAILING in metadata:
        context.set_trailing_metadata(((TRAILING, metadata[TRAILING]),))


def check(request, was_compressed, context):
    if request.HasField("expect_compressed") and request.expect_compressed.value != was_compressed:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"compressed: {was_compressed}")


def refuse(request, context):
    if request.response_status.code:
        code = [code for code in grpc.StatusCode if code.value[0] == request.response_status.code][0]
        context.abort(code, request.response_status.message)


def empty_call(received, context):
    begin(context)
    return empty.Empty()


def unary_call(received, context):
    request, was_compressed = received
    begin(context, compressing=request.response_compressed.value)
    check(request, was_compressed, context)
    refuse(request, context)
    return messages.SimpleResponse(payload=zeros(request.response_size))


def streaming_input_call(requests, context):
    begin(context)
    size = 0
    for request, was_compressed in requests:
        check(request, was_compressed, context)
        size += len(request.payload.body)
    return messages.StreamingInputCallResponse(aggregated_payload_size=size)


def responses(request, context):
    for parameters in request.response_parameters:
        time.sleep(parameters.interval_us / 1e6)
        if not parameters.compressed.value:
            context.disable_next_message_compression()
        yield messages.StreamingOutputCallResponse(payload=zeros(parameters.size))


def streaming_output_call(received, context):
    request, _ = received
    begin(context, compressing=True)
    refuse(request, context)
    yield from responses(request, context)


def full_duplex_call(requests, context):
    begin(context, compressing=True)
    for request, _ in requests:
        refuse(request, context)
        yield from responses(request, context)


def handler(make, body, kind):
    return make(body, request_deserializer=unpacking(kind), response_serializer=lambda message: message.SerializeToString())


def main():
    server = grpc.server(futures.ThreadPoolExecutor(16), options=[WHOLE])
    handlers = {
        "EmptyCall": handler(grpc.unary_unary_rpc_method_handler, empty_call, empty.Empty),
        "UnaryCall": handler(grpc.unary_unary_rpc_method_handler, unary_call, messages.SimpleRequest),
        "StreamingInputCall": handler(
            grpc.stream_unary_rpc_method_handler, streaming_input_call, messages.StreamingInputCallRequest
        ),
        "StreamingOutputCall": handler(
            grpc.unary_stream_rpc_method_handler, streaming_output_call, messages.StreamingOutputCallRequest
        ),
        "FullDuplexCall": handler(
            grpc.stream_stream_rpc_method_handler, full_duplex_call, messages.StreamingOutputCallRequest
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.testing.TestService", handlers),))
    files = sys.argv[2:]
    if files:
        certificate, key = [open(name, "rb").read() for name in files]
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"serving grpc.testing.TestService at 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


main()
