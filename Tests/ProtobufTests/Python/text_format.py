"""Reads messages in text format and says what they are: their bytes, and the text that Google's library writes.

usage: text_format.py DESCRIPTOR_SET < LINES, each TYPE, a tab, and the text in hexadecimal
Answers each line with the bytes, a tab, and the text, both in hexadecimal.
"""
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

pool = descriptor_pool.DescriptorPool()
with open(sys.argv[1], "rb") as file:
    for descriptor in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(descriptor)
for line in sys.stdin:
    name, text = line.split("\t")
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
    text_format.Parse(bytes.fromhex(text).decode(), message, descriptor_pool=pool)
    printed = text_format.MessageToString(message, descriptor_pool=pool)
    print(message.SerializeToString(deterministic=True).hex(), printed.encode().hex(), sep="\t")
