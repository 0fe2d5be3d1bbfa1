"""The conformance journey over the Python package: prints the lines of journey.txt.

Usage: journey.py ADDRESS TOKENS, where TOKENS is the folder with a token of each member.
"""

import datetime
import json
import pathlib
import sys
import time
import uuid

from google.longrunning import operations_pb2_grpc
from google.protobuf import json_format
from google.type import date_pb2, money_pb2

from cosell.opportunity.v1 import bulk_service_pb2 as bulk_api
from cosell.opportunity.v1 import bulk_service_pb2_grpc as bulk_rpc
from cosell.opportunity.v1 import customer_pb2 as customer
from cosell.opportunity.v1 import life_cycle_pb2 as life_cycle
from cosell.opportunity.v1 import opportunity_filter_pb2
from cosell.opportunity.v1 import opportunity_lifecycle_service_pb2 as lifecycle_api
from cosell.opportunity.v1 import opportunity_lifecycle_service_pb2_grpc as lifecycle_rpc
from cosell.opportunity.v1 import opportunity_pb2 as record
from cosell.opportunity.v1 import opportunity_service_pb2 as api
from cosell.opportunity.v1 import opportunity_service_pb2_grpc as rpc
from cosell.opportunity.v1 import project_pb2 as project
from cosell.review.v1 import review_pb2
from cosell.review.v1 import review_service_pb2 as review_api
from cosell.review.v1 import review_service_pb2_grpc as review_rpc
from cosell.type.v1 import type_pb2
from cosell_client import Client, CosellError, all_items, wait_for_operation

APPROVAL_LIMIT = 60  # seconds


def draft() -> record.Opportunity:
    """An opportunity that lacks what only a submission needs."""
    close = datetime.date.today() + datetime.timedelta(days=90)
    return record.Opportunity(
        partner_opportunity_identifier=f"CRM-{uuid.uuid4().hex}",
        primary_needs_from_aws=[record.PRIMARY_NEED_FROM_AWS_TECHNICAL_CONSULTATION],
        customer=customer.Customer(
            account=customer.Account(
                company_name="Nordwind Logistik AG",
                industry="Transportation and Logistics",
                website_url="www.nordwind-logistik.example",
                address=customer.Address(country_code="DE", postal_code="20457", city="Hamburg"),
            )
        ),
        project=project.Project(
            title="Route planning on a data lake",
            customer_business_problem="Dispatchers plan 900 tours a day in spreadsheets and miss delivery windows.",
            expected_customer_spend=[
                project.ExpectedCustomerSpend(
                    amount=money_pb2.Money(currency_code="EUR", units=18500),
                    frequency=project.PAYMENT_FREQUENCY_MONTHLY,
                    target_company="AWS",
                )
            ],
            other_solution_description="Landing zone and migration services",
        ),
        life_cycle=life_cycle.LifeCycle(
            stage=life_cycle.STAGE_QUALIFIED,
            target_close_date=date_pb2.Date(year=close.year, month=close.month, day=close.day),
        ),
    )


def status(opportunity: record.Opportunity) -> str:
    return type_pb2.ReviewStatus.Name(opportunity.life_cycle.review_status).removeprefix("REVIEW_STATUS_")


def refused(step: int, call) -> CosellError:
    """Makes a call that must be refused, and prints the refusal."""
    try:
        call()
    except CosellError as error:
        current = error.metadata.get("current_etag")
        print(f"{step} refused: {error.code().name} {error.reason}" + (f", current etag {current}" if current else ""))
        for violation in error.violations:
            allowed = len(violation.allowed_values)
            more = f", {allowed} values are allowed" if allowed else ""
            print(f"{step}   {violation.field} {violation.code}{more}")
        return error
    raise AssertionError("the call must be refused")


def eventually(poll):
    """Polls until there is a result: other services follow by events."""
    until = time.monotonic() + APPROVAL_LIMIT
    while not (result := poll()):
        if time.monotonic() > until:
            raise TimeoutError("no result")
        time.sleep(0.05)
    return result


def approve(reviews: review_rpc.ReviewServiceStub, opportunity_id: str) -> None:
    def queued():
        waiting = review_api.ListReviewCasesRequest(
            filter=review_api.ReviewCaseFilter(opportunity_ids=[opportunity_id])
        )
        return next(all_items(reviews.ListReviewCases, waiting), None)

    case = eventually(queued).review_case_id
    reviews.ClaimReviewCase(review_api.ClaimReviewCaseRequest(review_case_id=case))
    reviews.StartReview(review_api.StartReviewRequest(review_case_id=case))
    decision = review_pb2.REVIEW_DECISION_APPROVE
    reviews.DecideReview(review_api.DecideReviewRequest(review_case_id=case, decision=decision))


def upload(rows: list[dict]):
    """The messages of an import."""
    options = bulk_api.ImportOptions(
        format=bulk_api.FILE_FORMAT_JSON_LINES, mode=bulk_api.IMPORT_MODE_CREATE, request_id=str(uuid.uuid4())
    )
    yield bulk_api.ImportOpportunitiesRequest(options=options)
    content = "".join(json.dumps(row) + "\n" for row in rows)
    yield bulk_api.ImportOpportunitiesRequest(content=content.encode())


def main(address: str, tokens: pathlib.Path) -> None:
    with (
        Client(address, token_file=tokens / "alder-ace-user", plain_text=True) as partner,
        Client(address, token_file=tokens / "aws-reviewer", plain_text=True) as reviewer,
    ):
        opportunities = rpc.OpportunityServiceStub(partner.channel)
        lifecycle = lifecycle_rpc.OpportunityLifecycleServiceStub(partner.channel)

        created = opportunities.CreateOpportunity(api.CreateOpportunityRequest(opportunity=draft())).opportunity
        print(f"1 created: {status(created)}, revision {created.revision}")
        submission = lifecycle_api.SubmitOpportunityRequest(
            opportunity_id=created.opportunity_id, involvement_type=record.INVOLVEMENT_TYPE_CO_SELL
        )
        refused(2, lambda: lifecycle.SubmitOpportunity(submission))
        completion = record.Opportunity(
            project=project.Project(
                customer_use_case="Big Data: Data Warehouse / Data Integration / ETL / Data Lake / BI",
                delivery_models=[project.DELIVERY_MODEL_PROFESSIONAL_SERVICES],
                sales_activities=[project.SALES_ACTIVITY_CUSTOMER_HAS_SHOWN_INTEREST_IN_SOLUTION],
            )
        )
        update = api.UpdateOpportunityRequest(
            opportunity_id=created.opportunity_id, opportunity=completion, etag=created.etag
        )
        print(f"3 updated: revision {opportunities.UpdateOpportunity(update).opportunity.revision}")
        submitted = lifecycle.SubmitOpportunity(submission).opportunity
        print(f"4 submitted: {status(submitted)}, round {submitted.life_cycle.review_round}")
        approve(review_rpc.ReviewServiceStub(reviewer.channel), created.opportunity_id)
        get = api.GetOpportunityRequest(opportunity_id=created.opportunity_id)

        def approved():
            opportunity = opportunities.GetOpportunity(get).opportunity
            return opportunity if status(opportunity) == "APPROVED" else None

        print(f"5 approved: {status(eventually(approved))}")

        others = [
            opportunities.CreateOpportunity(api.CreateOpportunityRequest(opportunity=draft())).opportunity
            for _ in range(4)
        ]
        ids = [created.opportunity_id, *(other.opportunity_id for other in others)]
        pages = []

        def page(request):
            pages.append(request)
            return opportunities.ListOpportunities(request)

        filter_ = opportunity_filter_pb2.OpportunityFilter(opportunity_ids=ids)
        listed = list(all_items(page, api.ListOpportunitiesRequest(filter=filter_, page_size=2)))
        print(f"6 listed: {len(listed)} records of {len(pages)} pages")

        creation = api.CreateOpportunityRequest(opportunity=draft(), request_id=str(uuid.uuid4()))
        first, second = (opportunities.CreateOpportunity(creation).opportunity for _ in range(2))
        same = first.opportunity_id == second.opportunity_id
        print(f"7 repeated: {'the same record' if same else 'another record'}")
        late = api.UpdateOpportunityRequest(opportunity_id=first.opportunity_id, etag='"7"', opportunity=completion)
        refused(8, lambda: opportunities.UpdateOpportunity(late))
        unknown = api.CreateOpportunityRequest(opportunity=draft())
        unknown.opportunity.project.delivery_models.append(99)
        refused(9, lambda: opportunities.CreateOpportunity(unknown))
        try:
            opportunities.GetOpportunity(get, timeout=0.000001)
        except CosellError as error:
            print(f"10 out of time: {error.code().name}")

        bulk = bulk_rpc.BulkServiceStub(partner.channel)
        operations = operations_pb2_grpc.OperationsStub(partner.channel)
        rows = [json_format.MessageToDict(draft(), preserving_proto_field_name=True) for _ in range(2)]
        del rows[1]["customer"]["account"]["company_name"]
        started = bulk.ImportOpportunities(upload(rows))
        operation = wait_for_operation(operations.WaitOperation, started.name)
        result = bulk_api.BulkResult()
        operation.response.Unpack(result)
        print(f"11 imported: {result.created} created, {result.failed} failed")
        download = bulk.DownloadImportResult(
            bulk_api.DownloadImportResultRequest(name=started.name, failed_only=True)
        )
        content = b"".join(part.content for part in download).decode()
        for line in content.splitlines():
            row = json.loads(line)
            print(f"11   {row['_result']}: {row['_details']}")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
