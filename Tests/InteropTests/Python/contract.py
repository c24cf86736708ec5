"""The messages of grpc.testing as protoc made them, and what a message was on the wire.

grpcio hides whether a message came compressed. With decompression switched off (WHOLE), a compressed message arrives as the
gzip it is; no protobuf message begins with the bytes that gzip begins with.
"""

import gzip
import sys

import grpc

# protoc puts the code into grpc/testing below this folder: a part of the package grpc.
grpc.__path__.append(f"{sys.argv[1]}/grpc")

from grpc.testing import empty_pb2 as empty  # noqa: E402
from grpc.testing import messages_pb2 as messages  # noqa: E402
from grpc.testing import test_pb2_grpc as services  # noqa: E402

__all__ = ["INITIAL", "TRAILING", "WHOLE", "empty", "messages", "services", "unpacking", "zeros"]

WHOLE = ("grpc.per_message_decompression", 0)
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


def unpacking(kind):
    """Makes bytes into a message and whether it came compressed."""

    def unpack(data):
        was_compressed = data[:2] == b"\x1f\x8b"
        return kind.FromString(gzip.decompress(data) if was_compressed else data), was_compressed

    return unpack


def zeros(size):
    return messages.Payload(body=bytes(size))
