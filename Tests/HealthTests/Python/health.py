"""Asks a server for its health with a client that grpcio-tools made from the published names and numbers.

usage: health.py TARGET PROTOS

Prints, as JSON, what List gives: statuses by service, or the code of the error and its text.
"""
import json
import sys
import tempfile

from grpc_tools import protoc

target, protos = sys.argv[1:3]
folder = tempfile.TemporaryDirectory()
arguments = [f"-I{protos}", f"--python_out={folder.name}", f"--grpc_python_out={folder.name}"]
if protoc.main(["protoc", *arguments, "grpc/health/v1/health.proto"]) != 0:
    sys.exit("protoc refused the file")

import grpc

# The generated modules are in the package `grpc` too.
grpc.__path__.append(f"{folder.name}/grpc")
from grpc.health.v1 import health_pb2, health_pb2_grpc

with grpc.insecure_channel(target) as channel:
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        answer = stub.List(health_pb2.HealthListRequest(), timeout=10)
        name = health_pb2.HealthCheckResponse.ServingStatus.Name
        report = {service: name(health.status) for service, health in answer.statuses.items()}
    except grpc.RpcError as error:
        report = {"code": error.code().name, "text": error.details()}
print(json.dumps(report))
