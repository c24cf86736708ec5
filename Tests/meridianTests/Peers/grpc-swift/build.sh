#!/bin/sh
# usage: build.sh DIR    builds DIR/echo-server-swift on grpc-swift-2, in some minutes; needs the network, the first time
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh DIR}
mkdir -p "$out"
build() { swift build -c release --package-path "$here" --scratch-path "$out/grpc-swift" "$@"; }
build --product protoc-gen-swift
tools=$(build --show-bin-path)
protoc -I "$here/../../../../Protos/echo" --plugin="$tools/protoc-gen-swift" \
    --swift_out="$here/Sources/echo-server" echo.proto
build --product echo-server
cp "$tools/echo-server" "$out/echo-server-swift"
