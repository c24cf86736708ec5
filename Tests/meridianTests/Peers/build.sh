#!/bin/sh
# usage: build.sh DIR    builds DIR/echo-server and DIR/echo-client on gRPC C++
# Needs libgrpc++-dev, protobuf-compiler-grpc, protobuf-compiler, g++ and pkg-config.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh DIR}
mkdir -p "$out"
protoc -I "$here/../../../Protos/echo" --cpp_out="$out" --grpc_out="$out" \
    --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" echo.proto
for program in server client; do
    g++ -O2 -DNDEBUG -std=c++17 -Wall -I "$out" $(pkg-config --cflags grpc++ protobuf) "$here/$program.cc" \
        "$out/echo.pb.cc" "$out/echo.grpc.pb.cc" -o "$out/echo-$program" $(pkg-config --libs grpc++ protobuf) -pthread
done
