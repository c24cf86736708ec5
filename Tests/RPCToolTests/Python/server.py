"""Serves test.tool.Shop with grpcio and its reflection until standard input ends; prints the port.

usage: server.py PROTOS [--no-reflection] [--tls CA CERTIFICATE KEY] [--unix PATH]
"""
import argparse
import importlib.resources
import sys
import tempfile
from concurrent import futures

import grpc
from grpc_reflection.v1alpha import reflection
from grpc_tools import protoc

parser = argparse.ArgumentParser()
parser.add_argument("protos")
parser.add_argument("--no-reflection", action="store_true")
parser.add_argument("--tls", nargs=3)
parser.add_argument("--unix")
options = parser.parse_args()

generated = tempfile.TemporaryDirectory()
files = ["test/tool/options.proto", "test/tool/tool.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"]
include = importlib.resources.files("grpc_tools") / "_proto"
code = protoc.main(
    ["protoc", f"-I{options.protos}", f"-I{include}", f"--python_out={generated.name}"]
    + [f"--grpc_python_out={generated.name}"] + files)
assert code == 0, code
sys.path.insert(0, generated.name)
# A package of this name comes with Python; without this file it would win.
open(generated.name + "/test/__init__.py", "w").close()
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from test.tool import tool_pb2, tool_pb2_grpc  # noqa: E402


def part(name):
    made = tool_pb2.Part(name=name, price=100 * len(name), state=tool_pb2.STATE_SOLD, shelf="A")
    made.extra.Pack(tool_pb2.Total(price=1))
    return made


class Shop(tool_pb2_grpc.ShopServicer):
    def Find(self, request, context):
        metadata = dict(context.invocation_metadata())
        if request.name == "metadata":
            found = part("metadata")
            found.labels.extend(sorted(f"{k}={v}" for k, v in metadata.items() if k.startswith("x-")))
            found.labels.append(f"left={int(context.time_remaining() or 0)}")
            return found
        if request.name == "authority":
            return part(dict(context.invocation_metadata()).get("authority", "?"))
        if request.fail_with:
            status = status_pb2.Status(code=request.fail_with, message="failed as asked: 한")
            info = error_details_pb2.ErrorInfo(reason="ASKED", domain="test", metadata={"name": request.name})
            status.details.add().Pack(info)
            status.details.add().Pack(tool_pb2.Total(price=7))
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()), ("x-reason", "asked")))
            context.abort([c for c in grpc.StatusCode if c.value[0] == request.fail_with][0], status.message)
        context.send_initial_metadata((("x-initial", "one"),))
        context.set_trailing_metadata((("x-trailing-bin", b"\x00\xff"),))
        return part(request.name)

    def List(self, request, context):
        for number in range(request.count):
            yield part(f"part {number}")

    def Sum(self, requests, context):
        total = tool_pb2.Total()
        for request in requests:
            total.price += request.price
            total.count += 1
        return total

    def Chat(self, requests, context):
        for request in requests:
            if request.fail_with:
                context.abort(grpc.StatusCode.ABORTED, "as asked")
            yield part(request.name)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
tool_pb2_grpc.add_ShopServicer_to_server(Shop(), server)
if not options.no_reflection:
    reflection.enable_server_reflection(["test.tool.Shop", reflection.SERVICE_NAME], server)
if options.unix:
    port = server.add_insecure_port(f"unix:{options.unix}")
elif options.tls:
    ca, certificate, key = (open(path, "rb").read() for path in options.tls)
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([(key, certificate)], ca, True))
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(0)
