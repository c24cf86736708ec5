"""Calls the text service of the tests with grpcio, all four shapes, and prints one line for each check.

usage: client.py TARGET [CA CERTIFICATE KEY]
"""
import sys
import threading

import grpc

target = sys.argv[1]
if len(sys.argv) > 2:
    ca, certificate, key = (open(path, "rb").read() for path in sys.argv[2:5])
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    channel = grpc.secure_channel(target, credentials, [("grpc.ssl_target_name_override", "localhost")])
else:
    channel = grpc.insecure_channel(target)

unary = channel.unary_unary("/test.Text/Echo")
countdown = channel.unary_stream("/test.Text/Countdown")
join = channel.stream_unary("/test.Text/Join")
chat = channel.stream_stream("/test.Text/Chat")
hang = channel.unary_unary("/test.Text/Hang")


def check(name, condition):
    print(name, "ok" if condition else "FAILED", flush=True)


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call did not fail")


check("unary", unary(b"hello", timeout=10) == b"hello")
check("empty", unary(b"", timeout=10) == b"")
large = b"0123456789" * 400_000
check("large", unary(large, timeout=10) == large)
check("server streaming", list(countdown(b"1000", timeout=10)) == [b"%d" % n for n in range(1000, 0, -1)])
check("no message at all", list(countdown(b"0", timeout=10)) == [])
check("client streaming", join(iter([b"a", b"b", b"c"]), timeout=10) == b"a,b,c")
check("client streaming nothing", join(iter([]), timeout=10) == b"")
check("bidirectional", list(chat(iter([b"1", b"2"]), timeout=10)) == [b"re: 1", b"re: 2"])

error = failure(lambda: unary(b"fail:5", timeout=10))
check("status", error.code() == grpc.StatusCode.NOT_FOUND and error.details() == "failed as asked: 한 %")
trailing = dict(error.trailing_metadata())
check("details", trailing["grpc-status-details-bin"] == b"\x01\x02\x03" and trailing["x-reason"] == "asked")

for name, compression in (("gzip", grpc.Compression.Gzip), ("deflate", grpc.Compression.Deflate)):
    message = b"compressible " * 1000
    check(name, unary(message, timeout=10, compression=compression, metadata=[("x-compress", name)]) == message)

response, call = unary.with_call(
    b"m", timeout=10, metadata=[("x-initial", "one"), ("x-trailing-bin", b"\x00\x01\xff")])
check("initial metadata", dict(call.initial_metadata()).get("x-initial") == "one")
check("trailing metadata", dict(call.trailing_metadata()).get("x-trailing-bin") == b"\x00\x01\xff")

error = failure(lambda: hang(b"deadline", timeout=0.1))
check("deadline", error.code() == grpc.StatusCode.DEADLINE_EXCEEDED)
check("deadline is seen", unary(b"deadline?", timeout=100) in (b"98", b"99", b"100"))
error = failure(lambda: channel.unary_unary("/test.Text/Nothing")(b"", timeout=10))
check("unknown method", error.code() == grpc.StatusCode.UNIMPLEMENTED)
error = failure(lambda: unary(b"x" * (4 * 1024 * 1024 + 1), timeout=10))
check("too large", error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED)

call = hang.future(b"cancel", timeout=60)
call.cancel()
check("cancelled", call.code() == grpc.StatusCode.CANCELLED)

results = []
threads = [threading.Thread(target=lambda n=n: results.append(unary(b"%d" % n, timeout=20))) for n in range(50)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check("many at once", sorted(results) == sorted(b"%d" % n for n in range(50)))
