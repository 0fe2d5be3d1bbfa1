"""The client against a server that refuses and fails as a test tells it to."""

import asyncio
import concurrent.futures
import os
import pathlib
import tempfile
import unittest

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import any_pb2, duration_pb2, empty_pb2
from google.rpc import error_details_pb2, status_pb2

from cosell.opportunity.v1 import opportunity_pb2
from cosell.opportunity.v1 import opportunity_service_pb2 as api
from cosell.opportunity.v1 import opportunity_service_pb2_grpc as rpc
from cosell_client import AsyncClient, Client, CosellError, all_items, all_items_async, wait_for_operation


def refusal(code, reason, retry_after=None):
    """The trailers of a refusal by cosell."""
    details = [error_details_pb2.ErrorInfo(reason=reason, domain="cosell")]
    if retry_after is not None:
        nanos = round(retry_after * 1e9)
        details.append(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=nanos)))
    status = status_pb2.Status(code=code.value[0], message="refused")
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return code, [("grpc-status-details-bin", status.SerializeToString())]


def broken(code):
    """The end of a call that no service has refused."""
    return code, []


class Server(rpc.OpportunityServiceServicer):
    """Ends the first calls in these ways, then answers. Stores what it received."""

    def __init__(self):
        self.ends, self.requests, self.tokens = [], [], []
        self.on_call = lambda: None

    def _answer(self, request, context, answer):
        self.on_call()
        self.requests.append(request)
        self.tokens.append(dict(context.invocation_metadata())["authorization"])
        if self.ends:
            code, trailers = self.ends.pop(0)
            context.set_trailing_metadata(trailers)
            context.abort(code, "refused")
        return answer

    def GetOpportunity(self, request, context):
        return self._answer(request, context, api.GetOpportunityResponse())

    def CreateOpportunity(self, request, context):
        return self._answer(request, context, api.CreateOpportunityResponse())

    def ListOpportunities(self, request, context):
        number = int(request.page_token or 1)
        page = api.ListOpportunitiesResponse(
            opportunities=[opportunity_pb2.Opportunity(opportunity_id=f"O{number}{row}") for row in range(2)],
            next_page_token=str(number + 1) if number < 3 else "",
        )
        return self._answer(request, context, page)


class Operations(operations_pb2_grpc.OperationsServicer):
    """The operations of the same server."""

    def __init__(self, server):
        self._server = server

    def WaitOperation(self, request, context):
        return self._server._answer(request, context, operations_pb2.Operation(name=request.name, done=True))

    def CancelOperation(self, request, context):
        return self._server._answer(request, context, empty_pb2.Empty())


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.grpc = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        rpc.add_OpportunityServiceServicer_to_server(self.server, self.grpc)
        operations_pb2_grpc.add_OperationsServicer_to_server(Operations(self.server), self.grpc)
        self.address = f"127.0.0.1:{self.grpc.add_insecure_port('127.0.0.1:0')}"
        self.grpc.start()
        self.addCleanup(lambda: self.grpc.stop(None).wait())
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.token = pathlib.Path(folder.name) / "token"
        self.token.write_text("first\n", encoding="ascii")
        self.client = Client(self.address, token_file=self.token, plain_text=True)
        self.addCleanup(self.client.close)
        self.stub = rpc.OpportunityServiceStub(self.client.channel)
        self.operations = operations_pb2_grpc.OperationsStub(self.client.channel)

    def fails(self, method, request):
        with self.assertRaises(CosellError) as raised:
            method(request)
        return raised.exception

    def test_change_is_repeated_with_the_same_request_id(self):
        unknown = refusal(grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", 0.01)
        self.server.ends = [broken(grpc.StatusCode.UNAVAILABLE), unknown, broken(grpc.StatusCode.INTERNAL)]
        request = api.CreateOpportunityRequest()
        self.stub.CreateOpportunity(request)
        ids = {request.request_id for request in self.server.requests}
        self.assertEqual((len(self.server.requests), len(ids)), (4, 1))
        self.assertEqual(request.request_id, "", "the caller's request stays as it is")
        self.stub.CreateOpportunity(request)
        self.assertNotIn(self.server.requests[-1].request_id, ids, "another call has another id")

    def test_change_without_request_id_is_not_repeated(self):
        request = operations_pb2.CancelOperationRequest(name="operations/1")
        for end in [
            broken(grpc.StatusCode.UNAVAILABLE),
            refusal(grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", 0.01),
        ]:
            self.server.requests.clear()
            self.server.ends = [end]
            error = self.fails(self.operations.CancelOperation, request)
            self.assertEqual((error.code(), len(self.server.requests)), (grpc.StatusCode.UNAVAILABLE, 1))

    def test_wait_for_an_operation_outlasts_a_broken_connection(self):
        self.server.ends = [broken(grpc.StatusCode.UNAVAILABLE)] * 2
        operation = wait_for_operation(self.operations.WaitOperation, "operations/1")
        self.assertEqual((operation.done, len(self.server.requests)), (True, 3))

    def test_stated_request_id_is_kept(self):
        self.stub.CreateOpportunity(api.CreateOpportunityRequest(request_id="stated"))
        self.assertEqual(self.server.requests[0].request_id, "stated")

    def test_read_is_repeated_until_the_attempts_end(self):
        self.server.ends = [broken(grpc.StatusCode.UNAVAILABLE)] * 9
        error = self.fails(self.stub.GetOpportunity, api.GetOpportunityRequest())
        self.assertEqual(len(self.server.requests), 5)
        self.assertEqual((error.code(), error.reason), (grpc.StatusCode.UNAVAILABLE, ""))

    def test_refusal_is_not_repeated(self):
        for code, reason in [
            (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS"),
            (grpc.StatusCode.ABORTED, "ETAG_MISMATCH"),
            (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED_DRAFTS"),
            (grpc.StatusCode.INTERNAL, "INTERNAL"),
            (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_PERMITTED"),
        ]:
            with self.subTest(reason):
                self.server.requests.clear()
                self.server.ends = [refusal(code, reason)]
                error = self.fails(self.stub.CreateOpportunity, api.CreateOpportunityRequest())
                self.assertEqual((error.code(), error.reason), (code, reason))
                self.assertEqual(len(self.server.requests), 1)

    def test_limit_is_waited_for(self):
        self.server.ends = [refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_EXCEEDED", 0.05)]
        self.stub.GetOpportunity(api.GetOpportunityRequest())
        self.assertEqual(len(self.server.requests), 2)

    def test_delay_beyond_the_timeout_is_not_waited_for(self):
        self.server.ends = [refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_EXCEEDED", 0.9)]
        with self.assertRaises(CosellError) as raised:
            self.stub.GetOpportunity(api.GetOpportunityRequest(), timeout=0.8)
        self.assertEqual((raised.exception.reason, raised.exception.retry_after), ("RATE_EXCEEDED", 0.9))

    def test_token_is_read_again_once(self):
        def replace():
            # With the time of the first one.
            times = self.token.stat()
            self.token.write_text("second token\n", encoding="ascii")
            os.utime(self.token, ns=(times.st_atime_ns, times.st_mtime_ns))

        self.server.on_call = replace
        unauthenticated = refusal(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
        self.server.ends = [unauthenticated]
        self.stub.GetOpportunity(api.GetOpportunityRequest())
        self.assertEqual(self.server.tokens, ["Bearer first", "Bearer second token"])
        self.server.ends = [unauthenticated] * 2
        error = self.fails(self.stub.GetOpportunity, api.GetOpportunityRequest())
        self.assertEqual((error.reason, len(self.server.tokens)), ("TOKEN_INVALID", 4))

    def test_error_without_readable_details_has_its_code(self):
        garbage = [("grpc-status-details-bin", b"\xff\xff")]
        self.server.ends = [(grpc.StatusCode.NOT_FOUND, garbage)]
        error = self.fails(self.stub.GetOpportunity, api.GetOpportunityRequest())
        self.assertEqual((error.code(), error.reason), (grpc.StatusCode.NOT_FOUND, ""))

    def test_pages_are_read_in_turn(self):
        request = api.ListOpportunitiesRequest(page_size=2)
        items = [item.opportunity_id for item in all_items(self.stub.ListOpportunities, request)]
        self.assertEqual(items, ["O10", "O11", "O20", "O21", "O30", "O31"])
        self.assertEqual(request.page_token, "")

    def test_asyncio_client_repeats_and_reads_pages(self):
        async def calls():
            async with AsyncClient(self.address, token_file=self.token, plain_text=True) as client:
                stub = rpc.OpportunityServiceStub(client.channel)
                self.server.ends = [broken(grpc.StatusCode.UNAVAILABLE)] * 2
                await stub.CreateOpportunity(api.CreateOpportunityRequest())
                ids = {request.request_id for request in self.server.requests}
                self.assertEqual((len(self.server.requests), len(ids)), (3, 1))
                self.server.ends = [refusal(grpc.StatusCode.ABORTED, "ETAG_MISMATCH")]
                with self.assertRaises(CosellError) as raised:
                    await stub.CreateOpportunity(api.CreateOpportunityRequest())
                self.assertEqual(raised.exception.reason, "ETAG_MISMATCH")
                request = api.ListOpportunitiesRequest(page_size=2)
                return [item.opportunity_id async for item in all_items_async(stub.ListOpportunities, request)]

        self.assertEqual(len(asyncio.run(calls())), 6)
        self.assertEqual(set(self.server.tokens), {"Bearer first"})


if __name__ == "__main__":
    unittest.main()
