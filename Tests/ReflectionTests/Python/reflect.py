"""Asks a server for its services with grpcio-reflection, as a client that knows nothing of them does.

usage: reflect.py TARGET v1|v1alpha [CA CERTIFICATE KEY]

Prints, as JSON: services, the files behind test.reflection.Catalog, the answer of a call made from nothing but
reflection, and what unknown names give.
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import proto_reflection_descriptor_database as database
from grpc_reflection.v1alpha import reflection_pb2

target, version = sys.argv[1:3]
if len(sys.argv) > 3:
    ca, certificate, key = (open(path, "rb").read() for path in sys.argv[3:6])
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    channel = grpc.secure_channel(target, credentials, [("grpc.ssl_target_name_override", "localhost")])
else:
    channel = grpc.insecure_channel(target)
path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"


class Stub:
    """The package has v1alpha only; the messages of v1 are the same, its path is not."""

    def __init__(self, channel):
        self.ServerReflectionInfo = channel.stream_stream(
            path,
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )


database.ServerReflectionStub = Stub
known = database.ProtoReflectionDescriptorDatabase(channel)
if not isinstance(known._stub, Stub):
    sys.exit("grpcio-reflection no longer takes its stub from there")
pool = descriptor_pool.DescriptorPool(known)
report = {"services": sorted(known.get_services())}

service = pool.FindServiceByName("test.reflection.Catalog")
method = service.FindMethodByName("Find")
report["methods"] = [each.full_name for each in service.methods]
report["file"] = service.file.name
report["imports"] = sorted(each.name for each in service.file.dependencies)
report["part"] = [field.name for field in pool.FindMessageTypeByName("test.reflection.Part").fields]
report["state"] = {value.name: value.number for value in pool.FindEnumTypeByName("test.reflection.Part.State").values}

# The options of the method, by extensions that this program learns from the server.
option_type = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.MethodOptions"))
options = option_type.FromString(method.GetOptions().SerializeToString())
numbers = sorted(known.FindAllExtensionNumbers("google.protobuf.MethodOptions"))
report["extensions"] = numbers
message_factory.GetMessageClassesForFiles(["test/reflection/options.proto"], pool)
extension = pool.FindExtensionByNumber(option_type.DESCRIPTOR, 50001)
report["audience"] = options.Extensions[extension]

request = message_factory.GetMessageClass(method.input_type)(name="bolt")
call = channel.unary_unary(
    "/test.reflection.Catalog/Find",
    request_serializer=lambda message: message.SerializeToString(),
    response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
)
report["answer"] = json_format.MessageToDict(call(request, timeout=20))

# One stream for many questions: what has no answer does not end it.
Request = reflection_pb2.ServerReflectionRequest
questions = [
    Request(file_by_filename="nobody.proto"),
    Request(file_containing_symbol="test.Nobody"),
    Request(file_containing_extension=reflection_pb2.ExtensionRequest(containing_type="test.Nobody", extension_number=1)),
    Request(all_extension_numbers_of_type="test.Nobody"),
    Request(host="somewhere"),
    Request(file_by_filename="test/reflection/part.proto", host="somewhere"),
]
report["unknown"] = []
for answer in Stub(channel).ServerReflectionInfo(iter(questions), timeout=20):
    kind = answer.WhichOneof("message_response")
    code = answer.error_response.error_code if kind == "error_response" else 0
    report["unknown"].append([kind, code, answer.valid_host, answer.original_request.host])
print(json.dumps(report))
