"""Runs one interop test with grpcio. Ends with 0 when all was as the description says.

usage: client.py GENERATED PORT CASE [CA NAME]
"""

import os
import queue
import sys

from contract import INITIAL, TRAILING, WHOLE, empty, grpc, messages, services, unpacking, zeros

LIMIT = 20
GZIP = grpc.Compression.Gzip
SIZES = ((27182, 31415), (8, 9), (1828, 2653), (45904, 58979))


class Requests:
    """Requests that are sent as they are put; None ends them."""

    def __init__(self):
        self.queue = queue.Queue()
        self.put = self.queue.put

    def __iter__(self):
        return iter(self.queue.get, None)


def expect(subject, actual, expected):
    if actual != expected:
        sys.exit(f"{subject}: expected {expected!r}, came {actual!r}")


def expect_status(subject, code, body, details=None):
    try:
        body()
    except grpc.RpcError as error:
        expect(f"status of {subject}", error.code(), code)
        if details is not None:
            expect(f"status message of {subject}", error.details(), details)
    else:
        sys.exit(f"status of {subject}: expected {code}, came OK")


def large(**fields):
    return messages.SimpleRequest(response_size=314159, payload=zeros(271828), **fields)


def expect_large(response):
    expect("payload", response.payload.body, bytes(314159))


def asking(size, response_size):
    parameters = [messages.ResponseParameters(size=response_size)]
    return messages.StreamingOutputCallRequest(response_parameters=parameters, payload=zeros(size))


def flag(value):
    return messages.BoolValue(value=value)


class Cases:
    def __init__(self, connect):
        self.connect = connect
        self.stub = services.TestServiceStub(connect())

    def empty_unary(self):
        expect("response", self.stub.EmptyCall(empty.Empty(), timeout=LIMIT), empty.Empty())

    def large_unary(self):
        expect_large(self.stub.UnaryCall(large(), timeout=LIMIT))

    def client_compressed_unary(self):
        request = large(expect_compressed=flag(True))
        expect_status(
            "the probe", grpc.StatusCode.INVALID_ARGUMENT, lambda: self.stub.UnaryCall(request, timeout=LIMIT)
        )
        expect_large(self.stub.UnaryCall(request, timeout=LIMIT, compression=GZIP))
        expect_large(self.stub.UnaryCall(large(expect_compressed=flag(False)), timeout=LIMIT))

    def server_compressed_unary(self):
        call = self.connect([WHOLE]).unary_unary(
            "/grpc.testing.TestService/UnaryCall",
            request_serializer=messages.SimpleRequest.SerializeToString,
            response_deserializer=unpacking(messages.SimpleResponse),
        )
        for wanted in (True, False):
            response, was_compressed = call(large(response_compressed=flag(wanted)), timeout=LIMIT)
            expect("compressed", was_compressed, wanted)
            expect_large(response)

    def client_streaming(self):
        requests = (messages.StreamingInputCallRequest(payload=zeros(size)) for size, _ in SIZES)
        response = self.stub.StreamingInputCall(requests, timeout=LIMIT)
        expect("aggregated_payload_size", response.aggregated_payload_size, 74922)

    def client_compressed_streaming(self):
        def request(body, compressed):
            payload = messages.Payload(body=body)
            return messages.StreamingInputCallRequest(payload=payload, expect_compressed=flag(compressed))

        probe = request(bytes(27182), True)
        expect_status(
            "the probe",
            grpc.StatusCode.INVALID_ARGUMENT,
            lambda: self.stub.StreamingInputCall(iter([probe]), timeout=LIMIT),
        )
        # grpcio has no switch for a single message, but sends one as it is that gzip would not make smaller.
        requests = [probe, request(os.urandom(45904), False)]
        response = self.stub.StreamingInputCall(iter(requests), timeout=LIMIT, compression=GZIP)
        expect("aggregated_payload_size", response.aggregated_payload_size, 73086)

    def server_streaming(self):
        parameters = [messages.ResponseParameters(size=size) for _, size in SIZES]
        request = messages.StreamingOutputCallRequest(response_parameters=parameters)
        bodies = [response.payload.body for response in self.stub.StreamingOutputCall(request, timeout=LIMIT)]
        expect("payloads", bodies, [bytes(size) for _, size in SIZES])

    def server_compressed_streaming(self):
        call = self.connect([WHOLE]).unary_stream(
            "/grpc.testing.TestService/StreamingOutputCall",
            request_serializer=messages.StreamingOutputCallRequest.SerializeToString,
            response_deserializer=unpacking(messages.StreamingOutputCallResponse),
        )
        wanted = [(31415, True), (92653, False)]
        parameters = [messages.ResponseParameters(size=size, compressed=flag(flagged)) for size, flagged in wanted]
        responses = call(messages.StreamingOutputCallRequest(response_parameters=parameters), timeout=LIMIT)
        came = [(len(response.payload.body), was_compressed) for response, was_compressed in responses]
        expect("responses", came, wanted)

    def ping_pong(self):
        requests = Requests()
        responses = self.stub.FullDuplexCall(iter(requests), timeout=LIMIT)
        for size, response_size in SIZES:
            requests.put(asking(size, response_size))
            expect("payload", next(responses).payload.body, bytes(response_size))
        requests.put(None)
        expect("what is left", list(responses), [])

    def empty_stream(self):
        expect("responses", list(self.stub.FullDuplexCall(iter([]), timeout=LIMIT)), [])

    def custom_metadata(self):
        text, data = "test_initial_metadata_value", b"\xab\xab\xab"
        metadata = ((INITIAL, text), (TRAILING, data))

        def check(call):
            expect("initial metadata", dict(call.initial_metadata()).get(INITIAL), text)
            expect("trailing metadata", dict(call.trailing_metadata()).get(TRAILING), data)

        response, call = self.stub.UnaryCall.with_call(large(), timeout=LIMIT, metadata=metadata)
        expect_large(response)
        check(call)
        call = self.stub.FullDuplexCall(iter([asking(271828, 314159)]), timeout=LIMIT, metadata=metadata)
        expect("payloads", [response.payload.body for response in call], [bytes(314159)])
        check(call)

    def status_code_and_message(self):
        status = messages.EchoStatus(code=2, message="test status message")
        unknown = grpc.StatusCode.UNKNOWN
        request = messages.SimpleRequest(response_status=status)
        expect_status("UnaryCall", unknown, lambda: self.stub.UnaryCall(request, timeout=LIMIT), status.message)
        requests = [messages.StreamingOutputCallRequest(response_status=status)]
        expect_status(
            "FullDuplexCall",
            unknown,
            lambda: list(self.stub.FullDuplexCall(iter(requests), timeout=LIMIT)),
            status.message,
        )

    def special_status_message(self):
        message = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
        request = messages.SimpleRequest(response_status=messages.EchoStatus(code=2, message=message))
        expect_status(
            "UnaryCall", grpc.StatusCode.UNKNOWN, lambda: self.stub.UnaryCall(request, timeout=LIMIT), message
        )

    def unimplemented_method(self):
        call = lambda: self.stub.UnimplementedCall(empty.Empty(), timeout=LIMIT)
        expect_status("UnimplementedCall", grpc.StatusCode.UNIMPLEMENTED, call)

    def unimplemented_service(self):
        stub = services.UnimplementedServiceStub(self.connect())
        call = lambda: stub.UnimplementedCall(empty.Empty(), timeout=LIMIT)
        expect_status("UnimplementedCall", grpc.StatusCode.UNIMPLEMENTED, call)

    def cancel_after_begin(self):
        requests = Requests()
        call = self.stub.StreamingInputCall.future(iter(requests), timeout=LIMIT)
        call.cancel()
        expect("status", call.code(), grpc.StatusCode.CANCELLED)
        requests.put(None)

    def cancel_after_first_response(self):
        requests = Requests()
        call = self.stub.FullDuplexCall(iter(requests), timeout=LIMIT)
        requests.put(asking(27182, 31415))
        expect("payload", next(call).payload.body, bytes(31415))
        call.cancel()
        expect_status("the call", grpc.StatusCode.CANCELLED, lambda: next(call))
        requests.put(None)

    def timeout_on_sleeping_server(self):
        requests = Requests()
        requests.put(messages.StreamingOutputCallRequest(payload=zeros(27182)))
        call = self.stub.FullDuplexCall(iter(requests), timeout=0.001)
        expect_status("the call", grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))
        requests.put(None)

    def rpc_soak(self):
        for _ in range(10):
            self.large_unary()

    def channel_soak(self):
        for _ in range(10):
            with self.connect() as channel:
                expect_large(services.TestServiceStub(channel).UnaryCall(large(), timeout=LIMIT))


def main():
    port, case, *secure = sys.argv[2:]
    address = f"127.0.0.1:{port}"

    def connect(options=()):
        # Channels of equal options would share one connection.
        options = [*options, ("grpc.use_local_subchannel_pool", 1)]
        if not secure:
            return grpc.insecure_channel(address, options)
        authority, name = secure
        with open(authority, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        options += [("grpc.ssl_target_name_override", name), ("grpc.default_authority", name)]
        return grpc.secure_channel(address, credentials, options)

    getattr(Cases(connect), case)()
    print(f"{case}: ok")


main()
