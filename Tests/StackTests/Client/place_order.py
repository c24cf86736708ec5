"""A customer's client, made with nothing but the published contracts and stock gRPC: places an order and reads it filled.

Usage: place_order.py PROTOS ADDRESS CA TOKEN DOLLAR_ACCOUNT WON_ACCOUNT
Generates its code from PROTOS into a temporary folder; prints one JSON object.
"""

import glob
import importlib
import importlib.resources
import json
import sys
import tempfile
import time

import grpc
from grpc_tools import protoc


def generate(protos, folder):
    files = glob.glob(f"{protos}/meridian/type/v1/*.proto") + [f"{protos}/meridian/channel/v1/channel.proto"]
    include = importlib.resources.files("grpc_tools") / "_proto"
    code = protoc.main(
        ["protoc", f"-I{protos}", f"-I{include}", f"--python_out={folder}", f"--grpc_python_out={folder}", *files]
    )
    if code != 0:
        sys.exit(f"protoc ended with {code}")


def main():
    protos, address, ca, token, dollars, won = sys.argv[1:]
    folder = tempfile.TemporaryDirectory()
    generate(protos, folder.name)
    sys.path.insert(0, folder.name)
    messages = importlib.import_module("meridian.channel.v1.channel_pb2")
    services = importlib.import_module("meridian.channel.v1.channel_pb2_grpc")
    orders = importlib.import_module("meridian.type.v1.order_pb2")
    values = importlib.import_module("meridian.type.v1.value_pb2")

    with open(ca, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    metadata = (("authorization", f"Bearer {token}"),)
    result = {}
    with grpc.secure_channel(address, credentials) as channel:
        door = services.ChannelServiceStub(channel)
        request = messages.PlaceOrderRequest(
            client_order_id="python-1",
            symbol="AAPL",
            side=orders.SIDE_BUY,
            ord_type=orders.ORD_TYPE_LIMIT,
            order_qty=values.Decimal(unscaled=2, scale=0),
            price=values.Decimal(unscaled=22400, scale=2),
            account_id=dollars,
            funding_account_id=won,
        )
        try:
            door.PlaceOrder(request, timeout=10)
        except grpc.RpcError as error:
            result["withoutToken"] = error.code().name

        placed = door.PlaceOrder(request, timeout=10, metadata=metadata)
        result["placed"] = orders.OrdStatus.Name(placed.order.ord_status)
        result["orderID"] = placed.order.order_id
        again = door.PlaceOrder(request, timeout=10, metadata=metadata)
        result["replayed"] = again.replayed and again.order.order_id == placed.order.order_id

        end = time.monotonic() + 30
        while True:
            order = door.GetOrder(
                messages.GetOrderRequest(client_order_id="python-1"), timeout=10, metadata=metadata
            )
            status = orders.OrdStatus.Name(order.ord_status)
            if status == "ORD_STATUS_FILLED" or time.monotonic() > end:
                break
            time.sleep(0.05)
        result["ended"] = status
        result["cumQty"] = [order.cum_qty.unscaled, order.cum_qty.scale]

        # What has happened until now comes again to whoever asks for it; the stream ends when we leave.
        seen = []
        updates = door.StreamOrders(messages.StreamOrdersRequest(after_sequence=1), timeout=10, metadata=metadata)
        for update in updates:
            seen.append(orders.OrdStatus.Name(update.order.ord_status))
            if seen[-1] == "ORD_STATUS_FILLED":
                break
        updates.cancel()
        result["streamed"] = seen

        balances = door.GetBalances(messages.GetBalancesRequest(), timeout=10, metadata=metadata)
        result["shares"] = [[p.symbol, p.qty.unscaled, p.qty.scale] for p in balances.positions]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
