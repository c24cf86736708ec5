"""Serves the text service of the tests with grpcio until its input ends; prints the port.

usage: server.py [CA CERTIFICATE KEY]
"""
import sys
from concurrent import futures

import grpc


def echo(request, context):
    text = request.decode()
    if text.startswith("fail:"):
        context.set_trailing_metadata((("x-reason", "asked"), ("grpc-status-details-bin", b"\x01\x02\x03")))
        code = [code for code in grpc.StatusCode if code.value[0] == int(text[5:])][0]
        context.abort(code, "failed as asked: 한 %")
    metadata = dict(context.invocation_metadata())
    if "x-initial" in metadata:
        context.send_initial_metadata((("x-initial", metadata["x-initial"]),))
    if "x-trailing-bin" in metadata:
        context.set_trailing_metadata((("x-trailing-bin", metadata["x-trailing-bin"]),))
    if "x-compress" in metadata:
        context.set_compression({"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}[metadata["x-compress"]])
    if text == "deadline?":
        left = context.time_remaining()
        return b"none" if left is None or left > 10**6 else str(int(left)).encode()
    if text == "peer?":
        return str(context.auth_context().get("x509_common_name", [b""])[0].decode()).encode()
    return request


def countdown(request, context):
    for number in range(int(request), 0, -1):
        yield str(number).encode()


def join(requests, context):
    joined = []
    for request in requests:
        if request == b"stop":
            return b"stopped"
        joined.append(request)
    return b",".join(joined)


def chat(requests, context):
    for request in requests:
        if request == b"fail":
            context.abort(grpc.StatusCode.ABORTED, "as asked")
        yield b"re: " + request


cancelled = futures.Future()


def hang(request, context):
    context.add_callback(lambda: cancelled.done() or cancelled.set_result(request))
    cancelled.result()
    return b""


def was_cancelled(request, context):
    return cancelled.result(timeout=30)


handlers = {
    "Echo": grpc.unary_unary_rpc_method_handler(echo),
    "Countdown": grpc.unary_stream_rpc_method_handler(countdown),
    "Join": grpc.stream_unary_rpc_method_handler(join),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Hang": grpc.unary_unary_rpc_method_handler(hang),
    "WasCancelled": grpc.unary_unary_rpc_method_handler(was_cancelled),
}
server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Text", handlers),))
if len(sys.argv) > 1:
    ca, certificate, key = (open(path, "rb").read() for path in sys.argv[1:4])
    credentials = grpc.ssl_server_credentials([(key, certificate)], ca, True)
    port = server.add_secure_port("localhost:0", credentials)
else:
    port = server.add_insecure_port("localhost:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(0)
