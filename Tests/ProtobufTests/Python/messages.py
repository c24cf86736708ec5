"""Random messages of the test protos, made and checked by the Python protobuf library.

usage: messages.py PROTOS make SEED COUNT    writes a line of JSON for each message: type, binary (base64), json
       messages.py PROTOS judge              reads lines with type and json or binary, and writes for each what it makes
                                             of it: binary (base64), or null if it refuses
       messages.py PROTOS check              reads such lines with what another implementation made of the message
                                             (recoded: binary, rewritten: json), and names what differs
"""
import base64
import json
import random
import struct
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf import any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from grpc_tools import protoc
import grpc_tools

TYPES = ["Scalars", "Optionals", "Repeated", "Maps", "Choices", "Node", "Imports", "Names", "Sparse", "WellKnown"]


def load(protos):
    """The classes of the test messages, by full name, and the pool that knows them."""
    with tempfile.NamedTemporaryFile() as output:
        include = grpc_tools.__path__[0] + "/_proto"
        code = protoc.main([
            "protoc", f"-I{protos}", f"-I{include}", "--include_imports", f"--descriptor_set_out={output.name}",
            "test/kinds.proto", "test/well_known.proto",
        ])
        if code:
            sys.exit(code)
        files = descriptor_pb2.FileDescriptorSet.FromString(output.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return {f"test.{name}": message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{name}"))
            for name in TYPES}, pool


class Maker:
    LETTERS = "ab \"\\/\n\t\x01\x7f<>&'{}é한Ω\u2028\u2029\uffff\U0001f600\U0010ffff"
    UNKNOWN = [b"\xc0\x3e\x05", b"\xc1\x3e12345678", b"\xc2\x3e\x03abc", b"\xc5\x3e1234", b"\xfa\xff\xff\xff\x07\x00"]

    def __init__(self, classes, pool, seed):
        self.random = random.Random(seed)
        self.classes = classes
        self.pool = pool

    def message(self, name):
        message = self.classes[name]()
        self.fill(message, 3)
        return message

    def fill(self, message, depth):
        descriptor = message.DESCRIPTOR
        if descriptor.full_name.startswith("google.protobuf."):
            return self.well_known(message, depth)
        share = self.random.choice([0, 0.2, 0.5, 1])
        for field in descriptor.fields:
            if self.random.random() >= share:
                continue
            if field.message_type and field.message_type.GetOptions().map_entry:
                self.fill_map(getattr(message, field.name), field.message_type, depth)
            elif field.is_repeated:
                for _ in range(self.random.choice([1, 2, 5])):
                    if field.message_type:
                        if depth:
                            self.fill(getattr(message, field.name).add(), depth - 1)
                    else:
                        getattr(message, field.name).append(self.scalar(field))
            elif field.message_type:
                if depth:
                    getattr(message, field.name).SetInParent()
                    self.fill(getattr(message, field.name), depth - 1)
            else:
                setattr(message, field.name, self.scalar(field))
        if self.random.random() < 0.1:
            message.MergeFromString(b"".join(self.random.sample(self.UNKNOWN, self.random.randint(1, 5))))

    def fill_map(self, entries, entry, depth):
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        for _ in range(self.random.choice([1, 2, 5])):
            if not value.message_type:
                entries[self.scalar(key)] = self.scalar(value)
            elif depth:
                self.fill(entries[self.scalar(key)], depth - 1)

    def integer(self, bits, signed):
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return self.random.choice([
            low, high, 0, 1, max(low, -1), self.random.randint(low, high), self.random.randint(max(low, -300), 300)])

    def text(self):
        return "".join(self.random.choice(self.LETTERS) for _ in range(self.random.choice([0, 1, 3, 20, 200])))

    def double(self):
        anything = struct.unpack("<d", self.random.randbytes(8))[0]
        return self.random.choice([
            0.0, -0.0, 1.0, -1.5, 1e23, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 1 / 3,
            anything if anything == anything else 0.25, self.random.uniform(-1e6, 1e6)])

    def float(self):
        # The greatest value is left out: json_format refuses its own text of it.
        values = [0.0, -0.0, 0.1, 16777216.0, 1e-45, 3e38, float("inf"), float("-inf"), float("nan"),
                  self.random.uniform(-1e6, 1e6), self.random.uniform(-1e-30, 1e-30)]
        return struct.unpack("<f", struct.pack("<f", self.random.choice(values)))[0]

    def scalar(self, field):
        kind = field.type
        if kind == FieldDescriptor.TYPE_DOUBLE:
            return self.double()
        if kind == FieldDescriptor.TYPE_FLOAT:
            return self.float()
        if kind == FieldDescriptor.TYPE_BOOL:
            return self.random.random() < 0.5
        if kind == FieldDescriptor.TYPE_STRING:
            return self.text()
        if kind == FieldDescriptor.TYPE_BYTES:
            return self.random.randbytes(self.random.choice([0, 1, 2, 3, 4, 50]))
        if kind == FieldDescriptor.TYPE_ENUM:
            known = [value.number for value in field.enum_type.values]
            if field.enum_type.full_name == "google.protobuf.NullValue":
                return 0
            return self.random.choice(known + [self.integer(32, True)])
        return self.integer(*{
            FieldDescriptor.CPPTYPE_INT32: (32, True), FieldDescriptor.CPPTYPE_INT64: (64, True),
            FieldDescriptor.CPPTYPE_UINT32: (32, False), FieldDescriptor.CPPTYPE_UINT64: (64, False),
        }[field.cpp_type])

    def well_known(self, message, depth):
        name = message.DESCRIPTOR.name
        pick = self.random
        if name == "Timestamp":
            message.seconds = pick.choice([0, -62135596800, 253402300799, pick.randint(-62135596800, 253402300799)])
            message.nanos = pick.choice([0, 999999999, 1000, 500000000, pick.randint(0, 999999999)])
        elif name == "Duration":
            sign = pick.choice([-1, 1])
            message.seconds = sign * pick.choice([0, 315576000000, pick.randint(0, 315576000000)])
            # The two differ at the end of the range: one allows a fraction beyond it, one does not.
            whole = abs(message.seconds) == 315576000000
            message.nanos = 0 if whole else sign * pick.choice([0, 1, 999999999, 1000000, pick.randint(0, 999999999)])
        elif name == "FieldMask":
            message.paths.extend(pick.choice(["a", "a_b", "a_b.c_d", "abc.d"]) for _ in range(pick.randint(0, 3)))
        elif name == "Any":
            inner = self.classes[pick.choice(["test.Scalars", "test.Choices", "test.WellKnown"])]()
            if pick.random() < 0.3:
                inner = pick.choice([timestamp_pb2.Timestamp(seconds=7), duration_pb2.Duration(nanos=5),
                                     wrappers_pb2.Int64Value(value=-4), empty_pb2.Empty(),
                                     field_mask_pb2.FieldMask(paths=["x_y"]), struct_pb2.Value(bool_value=True)])
            elif depth:
                self.fill(inner, depth - 1)
                # Inside an Any they would be bytes to one side and dropped from JSON by the other.
                inner.DiscardUnknownFields()
            message.type_url = "type.googleapis.com/" + inner.DESCRIPTOR.full_name
            message.value = inner.SerializeToString(deterministic=True)
        elif name in ("Struct", "ListValue", "Value"):
            message.MergeFromString(self.json_message(name, depth).SerializeToString())
        elif name != "Empty":
            field = message.DESCRIPTOR.fields_by_name["value"]
            message.value = self.scalar(field)

    def json_message(self, name, depth):
        pick = self.random
        if name == "Struct":
            return struct_pb2.Struct(fields={
                self.text(): self.json_message("Value", depth - 1) for _ in range(pick.randint(0, 3))})
        if name == "ListValue":
            return struct_pb2.ListValue(values=[self.json_message("Value", depth - 1) for _ in range(pick.randint(0, 3))])
        kinds = ["null_value", "number_value", "string_value", "bool_value"]
        kind = pick.choice(kinds + ["struct_value", "list_value"] if depth > 0 else kinds)
        if kind == "null_value":
            return struct_pb2.Value(null_value=0)
        if kind == "number_value":
            number = self.double()
            return struct_pb2.Value(number_value=number if abs(number) < float("inf") else 2.5)
        if kind == "string_value":
            return struct_pb2.Value(string_value=self.text())
        if kind == "bool_value":
            return struct_pb2.Value(bool_value=pick.random() < 0.5)
        if kind == "struct_value":
            return struct_pb2.Value(struct_value=self.json_message("Struct", depth - 1))
        return struct_pb2.Value(list_value=self.json_message("ListValue", depth - 1))


def make(classes, pool, seed, count):
    maker = Maker(classes, pool, seed)
    for index in range(count):
        name = "test." + TYPES[index % len(TYPES)]
        message = maker.message(name)
        text = json_format.MessageToJson(
            message, descriptor_pool=pool, indent=maker.random.choice([None, 2]),
            preserving_proto_field_name=maker.random.random() < 0.5,
            use_integers_for_enums=maker.random.random() < 0.5,
            always_print_fields_with_no_presence=maker.random.random() < 0.5,
            ensure_ascii=maker.random.random() < 0.5)
        binary = base64.b64encode(message.SerializeToString()).decode()
        print(json.dumps({"type": name, "binary": binary, "json": text}))


def check(classes, pool):
    def settle(message):
        """Puts the bytes inside each Any into one order: entries of maps may come in any."""
        if message.DESCRIPTOR.full_name == "google.protobuf.Any" and message.type_url:
            name = message.type_url.split("/")[-1]
            inner = message_factory.GetMessageClass(pool.FindMessageTypeByName(name)).FromString(message.value)
            settle(inner)
            message.value = inner.SerializeToString(deterministic=True)
            return
        for field, value in message.ListFields():
            if not field.message_type:
                continue
            if field.message_type.GetOptions().map_entry:
                if field.message_type.fields_by_name["value"].message_type:
                    for key in value:
                        settle(value[key])
            elif field.is_repeated:
                for each in value:
                    settle(each)
            else:
                settle(value)

    def canonical(message):
        settle(message)
        return message.SerializeToString(deterministic=True)

    differences = 0
    for index, line in enumerate(sys.stdin):
        case = json.loads(line)
        kind = classes[case["type"]]
        original = kind.FromString(base64.b64decode(case["binary"]))
        faults = []
        if canonical(kind.FromString(base64.b64decode(case["recoded"]))) != canonical(original):
            faults.append("recoded")
        original.DiscardUnknownFields()
        try:
            if canonical(json_format.Parse(case["rewritten"], kind(), descriptor_pool=pool)) != canonical(original):
                faults.append("rewritten")
        except json_format.ParseError as error:
            faults.append(f"rewritten: {error}")
        if faults:
            differences += 1
            print(f"message {index}: {faults} {line}")
    print(f"{index + 1} checked, {differences} differ")


def judge(classes, pool):
    for line in sys.stdin:
        case = json.loads(line)
        kind = classes[case["type"]]
        try:
            if "json" in case:
                message = json_format.Parse(case["json"], kind(), descriptor_pool=pool)
            else:
                message = kind.FromString(base64.b64decode(case["binary"]))
            answer = base64.b64encode(message.SerializeToString(deterministic=True)).decode()
        except (json_format.ParseError, DecodeError, UnicodeError, RecursionError):
            answer = None
        print(json.dumps(answer))


if __name__ == "__main__":
    classes, pool = load(sys.argv[1])
    if sys.argv[2] == "make":
        make(classes, pool, int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[2] == "judge":
        judge(classes, pool)
    else:
        check(classes, pool)
