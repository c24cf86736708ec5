import sys

import grpc
from meridian.broker.v1 import broker_pb2, broker_pb2_grpc, control_pb2, control_pb2_grpc, rule_pb2
from meridian.type.v1 import order_pb2, value_pb2

broker = broker_pb2_grpc.BrokerServiceStub(grpc.insecure_channel(sys.argv[1]))
control = control_pb2_grpc.BrokerControlServiceStub(grpc.insecure_channel(sys.argv[2]))


def place(client_order_id, namespace):
    """The client under test: it sends the same id again until it has an answer."""
    order = broker_pb2.PlaceOrderRequest(
        client_order_id=client_order_id, account="test", symbol="AAPL", side=order_pb2.SIDE_BUY,
        ord_type=order_pb2.ORD_TYPE_MARKET, order_qty=value_pb2.Decimal(unscaled=1),
        time_in_force=order_pb2.TIME_IN_FORCE_DAY)
    while True:
        try:
            return broker.PlaceOrder(order, timeout=1, metadata=[("x-mock-namespace", namespace)])
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                raise


# The broker accepts each order and loses its first answer, in a namespace of this test alone.
lost_answer = rule_pb2.Rule(
    rule_id="lost-answer", at=rule_pb2.INJECTION_POINT_AFTER_COMMIT_BEFORE_REPLY,
    when=rule_pb2.Selector(operations=[rule_pb2.OPERATION_PLACE_ORDER], to_attempt=1),
    rpc=rule_pb2.RpcFault(no_answer=rule_pb2.NoAnswer()))
control.CreateNamespace(control_pb2.CreateNamespaceRequest(namespace="lost-answer", rules=[lost_answer]))

assert place("order-1", "lost-answer").replayed

# What the broker really has: one order, although it was asked twice.
truth = control.GetTruth(control_pb2.GetTruthRequest(namespace="lost-answer"))
assert [order.client_order_id for order in truth.orders] == ["order-1"]
assert truth.place_attempts == 2
