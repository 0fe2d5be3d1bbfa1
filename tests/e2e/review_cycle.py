"""Runs opportunities from creation to review decisions with a client that is generated from `proto/` only."""

import argparse
import email
import email.policy
import json
import pathlib
import sys
import time
import uuid
from datetime import date, timedelta

import grpc
from google.protobuf import field_mask_pb2, json_format
from google.rpc import error_details_pb2, status_pb2

from cosell.collaboration.v1 import (
    collaboration_service_pb2,
    collaboration_service_pb2_grpc,
)
from cosell.notification.v1 import notification_pb2, notification_service_pb2, notification_service_pb2_grpc
from cosell.opportunity.v1 import (
    opportunity_filter_pb2,
    opportunity_lifecycle_service_pb2,
    opportunity_lifecycle_service_pb2_grpc,
    opportunity_pb2,
    opportunity_service_pb2,
    opportunity_service_pb2_grpc,
)
from cosell.partner.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    connection_pb2,
    connection_service_pb2,
    connection_service_pb2_grpc,
)
from cosell.referral.v1 import referral_pb2, referral_service_pb2, referral_service_pb2_grpc
from cosell.review.v1 import review_pb2, review_service_pb2, review_service_pb2_grpc
from cosell.type.v1 import type_pb2

REVIEWER = "aws-reviewer"
OUTSIDER = "birch-alliance-lead"
SALES_REPRESENTATIVE = "aws-sales-representative"
WAIT_LIMIT = 30  # seconds
CALL_TIMEOUT = 10  # seconds
STATUS = type_pb2.ReviewStatus


# An opportunity that AWS refers.
REFERRED = {
    "opportunity_type": "OPPORTUNITY_TYPE_NET_NEW_BUSINESS",
    "primary_needs_from_aws": ["PRIMARY_NEED_FROM_AWS_TECHNICAL_CONSULTATION"],
    "customer": {
        "account": {
            "company_name": "Hafenkontor GmbH",
            "industry": "Transportation and Logistics",
            "website_url": "www.hafenkontor.example",
            "address": {"country_code": "DE", "postal_code": "23552", "street_address": "An der Untertrave 7"},
        }
    },
    "project": {
        "title": "Berth planning",
        "customer_business_problem": "Berths are planned on paper, and ships wait.",
        "customer_use_case": "Database",
        "delivery_models": ["DELIVERY_MODEL_PROFESSIONAL_SERVICES"],
        "sales_activities": ["SALES_ACTIVITY_SOW_SIGNED"],
        "expected_customer_spend": [
            {
                "amount": {"currency_code": "EUR", "units": "6200"},
                "frequency": "PAYMENT_FREQUENCY_MONTHLY",
                "target_company": "AWS",
            }
        ],
    },
}


class MemberClient:
    """Calls RPCs by name with a member's token, each with a deadline."""

    def __init__(self, channel, tokens, name):
        self.name = name
        self.metadata = [("authorization", "Bearer " + (tokens / name).read_text().strip())]
        self.stubs = [
            opportunity_service_pb2_grpc.OpportunityServiceStub(channel),
            opportunity_lifecycle_service_pb2_grpc.OpportunityLifecycleServiceStub(channel),
            review_service_pb2_grpc.ReviewServiceStub(channel),
            notification_service_pb2_grpc.NotificationServiceStub(channel),
            referral_service_pb2_grpc.ReferralServiceStub(channel),
            account_service_pb2_grpc.AccountServiceStub(channel),
            connection_service_pb2_grpc.ConnectionServiceStub(channel),
            collaboration_service_pb2_grpc.CollaborationServiceStub(channel),
        ]

    def __getattr__(self, rpc):
        stub = next(stub for stub in self.stubs if hasattr(stub, rpc))
        return lambda request: getattr(stub, rpc)(request, timeout=CALL_TIMEOUT, metadata=self.metadata)


class Refusal(Exception):
    """The code, reason and invalid fields of a refused call."""

    def __init__(self, error):
        super().__init__(error.details())
        self.code, self.reason, self.fields = error.code(), "", set()
        status = status_pb2.Status()
        status.ParseFromString(dict(error.trailing_metadata()).get("grpc-status-details-bin", b""))
        for detail in status.details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                self.reason = info.reason
            elif detail.Unpack(bad):
                self.fields = {violation.field for violation in bad.field_violations}


def expect_refusal(call, request):
    """Makes a call that must be refused and returns the refusal."""
    try:
        response = call(request)
    except grpc.RpcError as error:
        return Refusal(error)
    raise AssertionError(f"the call must be refused, but succeeded: {response}")


def eventually(condition, poll):
    """Polls until there is a result, and returns it."""
    deadline = time.monotonic() + WAIT_LIMIT
    while time.monotonic() < deadline:
        if result := poll():
            return result
        time.sleep(0.02)
    raise AssertionError(f"after {WAIT_LIMIT} s not true: {condition}")


def request_id():
    return str(uuid.uuid4())


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def merge(base, change):
    """Merges objects and replaces other values."""
    merged = dict(base)
    for key, value in (change or {}).items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def opportunity(data, closes_in_days=None):
    message = json_format.ParseDict(data, opportunity_pb2.Opportunity())
    if closes_in_days is not None:
        day = date.today() + timedelta(days=closes_in_days)
        message.life_cycle.target_close_date.year = day.year
        message.life_cycle.target_close_date.month = day.month
        message.life_cycle.target_close_date.day = day.day
    return message


def pages(call, request, items):
    """Yields the items of all pages of a list."""
    while True:
        page = call(request)
        yield from getattr(page, items)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


class Scenario:
    def __init__(self, arguments):
        self.records = json.loads(arguments.input.read_text())["records"]
        self.mail = arguments.mail
        self.channel = grpc.insecure_channel(arguments.address)
        self.tokens = arguments.tokens
        self.reviewer = self.member(REVIEWER)
        self.ids = {}  # position of a record -> opportunity id

    def member(self, name):
        return MemberClient(self.channel, self.tokens, name)

    def owner(self, position):
        return self.member(self.records[position]["member"])

    def get(self, position):
        request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=self.ids[position])
        return self.owner(position).GetOpportunity(request).opportunity

    def run(self):
        steps = [
            self.create,
            self.submit,
            self.withdraw,
            self.review,
            self.correct,
            self.refer,
            self.share,
            self.verify_isolation,
        ]
        for step in steps:
            step()
            print(step.__name__, "done", flush=True)

    def create(self):
        for position, record in enumerate(self.records):
            member = self.member(record["member"])
            request = opportunity_service_pb2.CreateOpportunityRequest(request_id=request_id())
            request.opportunity.CopyFrom(opportunity(record["opportunity"], record["closes_in_days"]))
            if record.get("mistakes"):
                refusal = expect_refusal(member.CreateOpportunity, request)
                check(refusal.code == grpc.StatusCode.INVALID_ARGUMENT, refusal)
                check(refusal.fields == set(record["mistakes"]), (refusal.fields, record["mistakes"]))
                corrected = merge(record["opportunity"], record.get("correction"))
                days = record.get("corrected_closes_in_days", record["closes_in_days"])
                request.opportunity.CopyFrom(opportunity(corrected, days))
            created = member.CreateOpportunity(request).opportunity
            repeated = member.CreateOpportunity(request).opportunity
            check(repeated.opportunity_id == created.opportunity_id, "a repeated request created a second opportunity")
            self.ids[position] = created.opportunity_id

    def submissions(self):
        return [(position, record) for position, record in enumerate(self.records) if record.get("involvement")]

    def submit_one(self, position):
        involvement = "INVOLVEMENT_TYPE_" + self.records[position]["involvement"]
        request = opportunity_lifecycle_service_pb2.SubmitOpportunityRequest(
            opportunity_id=self.ids[position], involvement_type=involvement, request_id=request_id()
        )
        return self.owner(position).SubmitOpportunity(request).opportunity

    def submit(self):
        for position, _ in self.submissions():
            status = self.submit_one(position).life_cycle.review_status
            check(status == STATUS.REVIEW_STATUS_SUBMITTED, f"{self.ids[position]} is {status} after submission")

    def withdraw(self):
        for position, record in self.submissions():
            if "verdict" not in record:
                request = opportunity_lifecycle_service_pb2.WithdrawSubmissionRequest(
                    opportunity_id=self.ids[position], request_id=request_id()
                )
                self.owner(position).WithdrawSubmission(request)

    def verdicts(self):
        return [(position, record) for position, record in self.submissions() if "verdict" in record]

    def queued_case(self, position, round_number):
        filter_ = review_service_pb2.ReviewCaseFilter(
            states=[review_pb2.REVIEW_CASE_STATE_SUBMITTED], opportunity_ids=[self.ids[position]]
        )
        request = review_service_pb2.ListReviewCasesRequest(filter=filter_)
        cases = list(pages(self.reviewer.ListReviewCases, request, "review_cases"))
        return cases[0] if cases and cases[0].round == round_number else None

    def decide(self, position, round_number, verdict):
        case = eventually(
            f"round {round_number} of {self.ids[position]} is in the queue",
            lambda: self.queued_case(position, round_number),
        )
        key = {"review_case_id": case.review_case_id}
        self.reviewer.ClaimReviewCase(review_service_pb2.ClaimReviewCaseRequest(request_id=request_id(), **key))
        self.reviewer.StartReview(review_service_pb2.StartReviewRequest(request_id=request_id(), **key))
        request = review_service_pb2.DecideReviewRequest(request_id=request_id(), **key)
        request.decision = review_pb2.ReviewDecision.Value("REVIEW_DECISION_" + verdict["decision"])
        request.review_comments = verdict.get("remarks", "")
        if verdict.get("reason"):
            request.reason = type_pb2.ReviewReason.Value("REVIEW_REASON_" + verdict["reason"])
        self.reviewer.DecideReview(request)
        status = STATUS.Value(
            {
                "APPROVE": "REVIEW_STATUS_APPROVED",
                "ACTION_REQUIRED": "REVIEW_STATUS_ACTION_REQUIRED",
                "REJECT": "REVIEW_STATUS_REJECTED",
            }[verdict["decision"]]
        )
        eventually(
            f"{self.ids[position]} shows {verdict['decision']}",
            lambda: self.get(position).life_cycle.review_status == status,
        )

    def review(self):
        for position, record in self.verdicts():
            self.decide(position, 1, record["verdict"])

    def correct(self):
        for position, record in self.verdicts():
            if record["verdict"]["decision"] == "ACTION_REQUIRED":
                self.correct_one(position, record["verdict"])

    def correct_one(self, position, verdict):
        owner, opportunity_id = self.owner(position), self.ids[position]
        filter_ = opportunity_filter_pb2.OpportunityFilter(review_statuses=[STATUS.REVIEW_STATUS_ACTION_REQUIRED])
        request = opportunity_service_pb2.ListOpportunitiesRequest(filter=filter_, page_size=2)
        found = {item.opportunity_id: item for item in pages(owner.ListOpportunities, request, "opportunities")}
        life_cycle = found[opportunity_id].life_cycle
        check(life_cycle.review_comments == verdict["remarks"], life_cycle)
        self.read_notification(owner, opportunity_id)
        self.read_mail(opportunity_id, verdict["remarks"])

        update = opportunity_service_pb2.UpdateOpportunityRequest(
            opportunity_id=opportunity_id, request_id=request_id()
        )
        update.opportunity.project.title = "Another title"
        update.update_mask.CopyFrom(field_mask_pb2.FieldMask(paths=["project.title"]))
        refusal = expect_refusal(owner.UpdateOpportunity, update)
        check(refusal.reason == "FIELD_NOT_EDITABLE", refusal.reason)

        update = opportunity_service_pb2.UpdateOpportunityRequest(
            opportunity_id=opportunity_id, request_id=request_id()
        )
        update.opportunity.CopyFrom(opportunity(verdict["fix"]))
        owner.UpdateOpportunity(update)
        self.submit_one(position)
        self.decide(position, 2, {"decision": "APPROVE"})

    def read_notification(self, member, opportunity_id):
        def unread():
            request = notification_service_pb2.ListNotificationsRequest(unread_only=True)
            kind = notification_pb2.NOTIFICATION_KIND_ACTION_REQUIRED
            items = pages(member.ListNotifications, request, "notifications")
            return [item for item in items if item.opportunity_id == opportunity_id and item.kind == kind]

        notification = eventually(f"{member.name} has a notification of {opportunity_id}", unread)[0]
        before = member.GetUnreadCount(notification_service_pb2.GetUnreadCountRequest()).unread_count
        read = notification_service_pb2.MarkNotificationsReadRequest(
            notification_ids=[notification.notification_id], request_id=request_id()
        )
        check(member.MarkNotificationsRead(read).unread_count < before, "the unread count has not decreased")

    def read_mail(self, opportunity_id, remarks):
        def received():
            for path in self.mail.glob("*.eml"):
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                text = mail.get_body(("plain",)).get_content()
                if mail["Subject"].startswith("Action required") and text.rstrip().endswith(f"Opportunity {opportunity_id}"):
                    return text
            return None

        text = eventually(f"an e-mail about {opportunity_id} is received", received)
        check(remarks in text, "the e-mail lacks the remarks")

    def refer(self):
        """AWS refers an opportunity to two partners: the first rejects the offer, the second accepts it."""
        sales = self.member(SALES_REPRESENTATIVE)
        first, second = self.member(OUTSIDER), self.member("alder-ace-manager")
        request = referral_service_pb2.CreateReferralRequest(request_id=request_id())
        content = request.referral
        content.receiver_account_ids.extend(["222222222222", "111111111111"])
        content.customer_consent_time.GetCurrentTime()
        content.message = "The customer met you at the trade fair."
        content.receiver_responsibilities.append(type_pb2.RECEIVER_RESPONSIBILITY_SERVICES_PARTNER)
        content.sender_contacts.add(first_name="Vera", email="vera@aws.example", business_title="AWSSalesRep")
        content.opportunity.CopyFrom(opportunity(REFERRED, closes_in_days=180))
        created = sales.CreateReferral(request).referral
        offer = created.offers[0].referral_offer_id
        read = referral_service_pb2.GetReferralOfferRequest(referral_offer_id=offer)
        seen = first.GetReferralOffer(read).referral_offer
        check(seen.opportunity.customer_company_name == "Hafenkontor GmbH", seen)
        check(b"Untertrave" not in seen.SerializeToString(), "the street must be hidden before acceptance")
        first.RejectReferralOffer(
            referral_service_pb2.RejectReferralOfferRequest(
                referral_offer_id=offer,
                reason=type_pb2.REJECTION_REASON_UNABLE_TO_SUPPORT,
                request_id=request_id(),
            )
        )

        def next_offer():
            request = referral_service_pb2.GetReferralRequest(referral_id=created.referral_id)
            offers = sales.GetReferral(request).referral.offers
            return offers[1].referral_offer_id if len(offers) > 1 else None

        offer = eventually("the second partner has an offer", next_offer)
        accept = referral_service_pb2.AcceptReferralOfferRequest(referral_offer_id=offer, request_id=request_id())
        opportunity_id = second.AcceptReferralOffer(accept).referral_offer.opportunity_id
        repeated = second.AcceptReferralOffer(accept).referral_offer.opportunity_id
        check(repeated == opportunity_id, "a repeated acceptance returned another opportunity")

        def find_opportunity():
            try:
                request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=opportunity_id)
                return second.GetOpportunity(request).opportunity
            except grpc.RpcError:
                return None

        accepted = eventually(f"{opportunity_id} is created", find_opportunity)
        check(accepted.referral_offer_id == offer, accepted.referral_offer_id)
        street = accepted.customer.account.address.street_address
        check(street == "An der Untertrave 7", "the opportunity must have the complete address")

    def connect(self):
        """Alder invites Birch to collaborate on opportunities, and Birch accepts."""
        sender, receiver = self.member("alder-alliance-lead"), self.member(OUTSIDER)
        filter_ = account_service_pb2.PartnerFilter(name="birch")
        found = sender.ListPartners(account_service_pb2.ListPartnersRequest(filter=filter_)).partners[0]
        request = connection_service_pb2.CreateConnectionInvitationRequest(
            type=connection_pb2.CONNECTION_TYPE_OPPORTUNITY_COLLABORATION,
            receiver_id=found.profile.profile_id,
            inviter_name="Amara Okafor",
            inviter_email="amara.okafor@alder.example",
            message="Shall we work together?",
            request_id=request_id(),
        )
        invitation_id = sender.CreateConnectionInvitation(request).connection_invitation.connection_invitation_id
        receiver.AcceptConnectionInvitation(
            connection_service_pb2.AcceptConnectionInvitationRequest(
                connection_invitation_id=invitation_id, request_id=request_id()
            )
        )

    def share(self):
        """A partner shares an opportunity with another one, which gets a shared copy that needs no review."""
        self.connect()
        position = next(
            position
            for position, record in self.verdicts()
            if record["verdict"]["decision"] == "APPROVE" and record["member"].startswith("alder")
        )
        manager, receiver = self.member("alder-ace-manager"), self.member(OUTSIDER)
        request = collaboration_service_pb2.ShareOpportunityRequest(
            opportunity_id=self.ids[position], message="Shall we work on this together?", request_id=request_id()
        )
        request.receivers.add(
            account_id="222222222222",
            responsibilities=[type_pb2.RECEIVER_RESPONSIBILITY_SOFTWARE_PARTNER],
        )
        request.sender_contacts.add(first_name="Chiara", email="chiara.rossi@alder.example")

        def share():
            # Refused until the service has received the event of the connection.
            try:
                return manager.ShareOpportunity(request)
            except grpc.RpcError as error:
                refusal = Refusal(error)
                check(refusal.reason == "NOT_CONNECTED", refusal)
                return None

        shared = eventually("the opportunity is shared", share)
        invitation_id = shared.engagement_invitations[0].engagement_invitation_id
        read = collaboration_service_pb2.GetEngagementInvitationRequest(engagement_invitation_id=invitation_id)
        seen = receiver.GetEngagementInvitation(read).engagement_invitation
        check(seen.sender_company_name and seen.opportunity_invitation.project.title, seen)
        check(self.ids[position].encode() not in seen.SerializeToString(), "the sender's opportunity id must be hidden")
        accept = collaboration_service_pb2.AcceptEngagementInvitationRequest(
            engagement_invitation_id=invitation_id, request_id=request_id()
        )
        copy_id = receiver.AcceptEngagementInvitation(accept).engagement_invitation.opportunity_id
        repeated = receiver.AcceptEngagementInvitation(accept).engagement_invitation.opportunity_id
        check(repeated == copy_id, "a repeated acceptance returned another opportunity")

        def find_copy():
            try:
                request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=copy_id)
                return receiver.GetOpportunity(request).opportunity
            except grpc.RpcError:
                return None

        copy = eventually(f"{copy_id} is created", find_copy)
        check(copy.engagement_invitation_id == invitation_id, copy.engagement_invitation_id)
        status = copy.life_cycle.review_status
        check(status == STATUS.REVIEW_STATUS_APPROVED, "the shared copy must have the sender's review status")
        engagement_id = shared.engagement.engagement_id
        listed = collaboration_service_pb2.ListEngagementMembersRequest(engagement_id=engagement_id)
        members = list(pages(receiver.ListEngagementMembers, listed, "engagement_members"))
        check([member.account_id for member in members] == ["111111111111", "222222222222"], members)

    def verify_isolation(self):
        outsider = self.member(OUTSIDER)
        request = opportunity_service_pb2.ListOpportunitiesRequest(page_size=10)
        seen = {item.opportunity_id for item in pages(outsider.ListOpportunities, request, "opportunities")}
        for position, record in enumerate(self.records):
            if record["member"].startswith("alder"):
                check(self.ids[position] not in seen, f"{OUTSIDER} sees {self.ids[position]}")
                request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=self.ids[position])
                refusal = expect_refusal(outsider.GetOpportunity, request)
                check(refusal.code == grpc.StatusCode.NOT_FOUND, refusal)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True, help="host:port of the installation")
    for folder in ["--tokens", "--mail", "--input"]:
        parser.add_argument(folder, required=True, type=pathlib.Path)
    Scenario(parser.parse_args()).run()
    print("completed")


if __name__ == "__main__":
    sys.exit(main())
