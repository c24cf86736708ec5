#!/bin/bash
# usage: tables.sh tls|streams|clients [ROUNDS]
# The RPC runtime beside its peers, in interleaved rounds (default 5); the server runs on CPU 0, the client on CPU 1.
#   tls       unary calls over TLS 1.3 with TLS_AES_128_GCM_SHA256, loaded by h2load: per CPU second of the server
#   streams   messages of bidirectional streams in the clear, loaded by our client: per CPU second of the server
#   clients   unary calls in the clear to our server: per CPU second of the client
# Prints the median of the rounds and every round. Needs a release build, peers made by build.sh (grpc-swift is left out
# when grpc-swift/build.sh has not been run), h2load and nghttpd.
#   PROGRAM=.build/release/meridian   PEERS=.build/peers   SECONDS_EACH=1   TRACE=FILE (what each round printed)
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
home=$here/../../..
program=${PROGRAM:-$home/.build/release/meridian}
peers=${PEERS:-$home/.build/peers}
table=${1:?usage: tables.sh tls|streams|clients [ROUNDS]}
rounds=${2:-5}
each=${SECONDS_EACH:-1}
port=7790
suite=TLS_AES_128_GCM_SHA256
path=/echo.Echo/Unary
folder=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || { kill "$server" && wait "$server" || true; } 2>/dev/null
    server=
}
trap 'stop; rm -rf "$folder"' EXIT
fail() { echo "tables.sh: $*" >&2; exit 1; }
listens() { [ -n "$(ss -Hltn "sport = :$port")" ]; }

# start COMMAND...: a server on CPU 0, ready when it listens at the port.
start() {
    ! listens || fail "somebody else listens at port $port"
    taskset -c 0 "$@" >"$folder/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        ! listens || return 0
        sleep 0.1
    done
    fail "$1 does not listen: $(cat "$folder/server")"
}

# Processor time of the server in ticks: user and system. Source: proc(5).
ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }

# load CONNECTIONS CALLS COUNT [OPTION...]: COUNT unary calls over TLS by h2load.
load() {
    local connections=$1 calls=$2 count=$3
    shift 3
    taskset -c 1 timeout 60 h2load -t 1 -c "$connections" -m "$calls" -n "$count" -d "$folder/request" --tls13-ciphers=$suite "$@" \
        -H 'content-type: application/grpc' -H 'te: trailers' "https://127.0.0.1:$port$path"
}

# tls SETTING: "calls per CPU second of the server, p50 in microseconds" at CONNECTIONSxCALLS.
tls() {
    local connections=${1%x*} calls=${1#*x} rate count before after
    # The first run warms up, and tells how many calls fill the time.
    rate=$(load "$connections" "$calls" $((connections * calls * 10)) | tee "$folder/load" |
        sed -n 's/^finished in .* \([0-9]*\)[.0-9]* req\/s.*/\1/p')
    grep -q "^Cipher: $suite" "$folder/load" || fail "not $suite"
    rate=$(load "$connections" "$calls" $((rate / 4 + connections)) |
        sed -n 's/^finished in .* \([0-9]*\)[.0-9]* req\/s.*/\1/p')
    count=$((rate * each + connections))
    before=$(ticks)
    load "$connections" "$calls" "$count" >"$folder/load"
    after=$(ticks)
    grep -q " $count succeeded" "$folder/load" || fail "calls failed"
    rm -f "$folder/log"
    load "$connections" "$calls" $((count / 4 + connections)) --log-file="$folder/log" >/dev/null
    awk '{ print $3 }' "$folder/log" | sort -n | awk -v n="$count" -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" \
        '{ v[NR] = $1 } END { printf "%.0f %d\n", n * hz / t, v[int((NR + 1) / 2)] }'
}

# The reply to one call over TLS, by another client: the echo, and OK.
check() {
    curl -sS --max-time 10 --http2 --cacert "$folder/server.pem" -H 'content-type: application/grpc' -H 'te: trailers' \
        --data-binary "@$folder/request" -D "$folder/head" -o "$folder/reply" "https://127.0.0.1:$port$path"
    grep -qi '^grpc-status: 0' "$folder/head" && cmp -s "$folder/request" "$folder/reply" ||
        fail "no echo over TLS"
}

# streams SETTING: "messages per CPU second of the server, per second" at CONNECTIONSxSTREAMSxWINDOW.
streams() {
    local connections calls window
    IFS=x read -r connections calls window <<<"$1"
    taskset -c 1 "$program" bench echo-client "http://127.0.0.1:$port" --connections "$connections" --calls "$calls" \
        --window "$window" --duration "${each}s" --server-pid "$server" |
        sed -E 's|^([0-9]+) answers/s, .* client, ([0-9]+) .*|\2 \1|'
}

# clients SETTING PEER: "calls per CPU second of the client, per second" at CONNECTIONSxCALLS.
clients() {
    local connections=${1%x*} calls=${1#*x}
    if [ "$2" = ours ]; then
        taskset -c 1 "$program" bench echo-client "http://127.0.0.1:$port" --connections "$connections" --calls "$calls" \
            --duration "${each}s"
    else
        taskset -c 1 "$peers/echo-client" $port "$connections" "$calls" 500 $((each * 1000))
    fi | sed -E 's|^([0-9]+) answers/s, ([0-9]+) .*|\2 \1|'
}

case $table in
tls)
    names=(ours nghttpd gRPC-C++) settings=(1x1 4x32 16x100) what="calls per CPU second of the server, p50 in us"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$folder/server.key" -out "$folder/server.pem" 2>/dev/null
    # One message of gRPC: EchoRequest with id, n and 64 bytes of payload. nghttpd serves it as a file.
    { printf '\0\0\0\0\122\12\14order-000001\20\52\32\100' && head -c 64 /dev/zero; } >"$folder/request"
    mkdir "$folder/echo.Echo" && cp "$folder/request" "$folder$path"
    ;;
streams) names=(ours gRPC-C++) settings=(1x1x1 4x32x1 4x8x16 16x100x4) what="messages per CPU second of the server, per second" ;;
clients) names=(ours gRPC-C++) settings=(1x1 4x32 16x100) what="calls per CPU second of the client, per second" ;;
*) fail "no table $table" ;;
esac
[ "$table" = clients ] || [ ! -x "$peers/echo-server-swift" ] || names+=(grpc-swift)

trace=${TRACE:-$folder/trace}
: >"$trace"
echo "$(date -u +%FT%TZ), $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), load $(cut -d' ' -f1 /proc/loadavg)"
for round in $(seq "$rounds"); do
    for name in "${names[@]}"; do
        secure=()
        [ "$table" != tls ] || secure=("$folder")
        case $table/$name in
        clients/* | */ours) start "$program" bench echo-server --port $port --loops 1 ${secure:+--tls "$folder"} ;;
        */nghttpd) start nghttpd -a 127.0.0.1 -n 1 -d "$folder" $port "$folder/server.key" "$folder/server.pem" ;;
        */gRPC-C++) start "$peers/echo-server" $port "${secure[@]}" ;;
        */grpc-swift) start "$peers/echo-server-swift" $port "${secure[@]}" ;;
        esac
        [ "$table" != tls ] || [ "$name" = nghttpd ] || check
        for setting in "${settings[@]}"; do
            figures=$("$table" "$setting" "$name")
            echo "$round $setting $name $figures" >>"$trace"
        done
        stop
    done
done
python3 - "$trace" "$what" "${names[@]}" <<'P'
import collections, statistics, sys

table = collections.defaultdict(dict)
for line in open(sys.argv[1]):
    number, setting, name, rate, other = line.split()
    table[setting, name][int(number)] = (int(rate), int(other))
print(sys.argv[2])
for setting in dict.fromkeys(key[0] for key in table):
    ours = table[setting, "ours"]
    for name in sys.argv[3:]:
        rows = table[setting, name]
        rates, others = zip(*rows.values())
        pairs = [ours[number][0] / rows[number][0] for number in rows]
        print(f"{setting:9} {name:10} median {statistics.median(rates):7.0f}, {statistics.median(others):6.0f};"
              f" ours to it {statistics.median(pairs):.2f}; rounds {' '.join(map(str, rates))}")
P
