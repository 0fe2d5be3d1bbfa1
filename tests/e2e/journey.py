"""The journey of opportunities from registration to validation, by a client that knows nothing but `proto/`."""

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
SELLER = "aws-sales-representative"
PATIENCE = 30  # seconds
CALL = 10  # seconds
STATUS = type_pb2.ReviewStatus


# A deal of AWS.
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


class Person:
    """Somebody with a token: calls by name, each with a deadline."""

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
        return lambda request: getattr(stub, rpc)(request, timeout=CALL, metadata=self.metadata)


class Refused(Exception):
    """A refused call, taken apart."""

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


def refusal(call, request):
    """The refusal of a call that must be refused."""
    try:
        answer = call(request)
    except grpc.RpcError as error:
        return Refused(error)
    raise AssertionError(f"this call must be refused, but was answered: {answer}")


def eventually(what, ask):
    """Asks until there is an answer."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"after {PATIENCE} s still not: {what}")


def request_id():
    return str(uuid.uuid4())


def check(holds, otherwise):
    if not holds:
        raise AssertionError(otherwise)


def merge(into, change):
    """Objects are merged, everything else is replaced."""
    merged = dict(into)
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
    """Everything in a list, page by page."""
    while True:
        answer = call(request)
        yield from getattr(answer, items)
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


class Journey:
    def __init__(self, arguments):
        self.records = json.loads(arguments.input.read_text())["records"]
        self.mail = arguments.mail
        self.channel = grpc.insecure_channel(arguments.address)
        self.tokens = arguments.tokens
        self.reviewer = self.person(REVIEWER)
        self.ids = {}  # position of a record -> opportunity id

    def person(self, name):
        return Person(self.channel, self.tokens, name)

    def owner(self, position):
        return self.person(self.records[position]["member"])

    def get(self, position):
        request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=self.ids[position])
        return self.owner(position).GetOpportunity(request).opportunity

    def play(self):
        steps = [
            self.register,
            self.submit,
            self.withdraw,
            self.review,
            self.correct,
            self.refer,
            self.share,
            self.keep_out,
        ]
        for step in steps:
            step()
            print(step.__name__, "done", flush=True)

    def register(self):
        for position, record in enumerate(self.records):
            person = self.person(record["member"])
            request = opportunity_service_pb2.CreateOpportunityRequest(request_id=request_id())
            request.opportunity.CopyFrom(opportunity(record["opportunity"], record["closes_in_days"]))
            if record.get("mistakes"):
                refused = refusal(person.CreateOpportunity, request)
                check(refused.code == grpc.StatusCode.INVALID_ARGUMENT, refused)
                check(refused.fields == set(record["mistakes"]), (refused.fields, record["mistakes"]))
                corrected = merge(record["opportunity"], record.get("correction"))
                days = record.get("corrected_closes_in_days", record["closes_in_days"])
                request.opportunity.CopyFrom(opportunity(corrected, days))
            made = person.CreateOpportunity(request).opportunity
            again = person.CreateOpportunity(request).opportunity
            check(again.opportunity_id == made.opportunity_id, "the same request made two opportunities")
            self.ids[position] = made.opportunity_id

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
            check(status == STATUS.REVIEW_STATUS_SUBMITTED, f"{self.ids[position]} is {status} once submitted")

    def withdraw(self):
        for position, record in self.submissions():
            if "verdict" not in record:
                request = opportunity_lifecycle_service_pb2.WithdrawSubmissionRequest(
                    opportunity_id=self.ids[position], request_id=request_id()
                )
                self.owner(position).WithdrawSubmission(request)

    def verdicts(self):
        return [(position, record) for position, record in self.submissions() if "verdict" in record]

    def waiting(self, position, round_number):
        filter_ = review_service_pb2.ReviewCaseFilter(
            states=[review_pb2.REVIEW_CASE_STATE_SUBMITTED], opportunity_ids=[self.ids[position]]
        )
        request = review_service_pb2.ListReviewCasesRequest(filter=filter_)
        cases = list(pages(self.reviewer.ListReviewCases, request, "review_cases"))
        return cases[0] if cases and cases[0].round == round_number else None

    def decide(self, position, round_number, verdict):
        case = eventually(
            f"round {round_number} of {self.ids[position]} is in the queue",
            lambda: self.waiting(position, round_number),
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
        person, key = self.owner(position), self.ids[position]
        filter_ = opportunity_filter_pb2.OpportunityFilter(review_statuses=[STATUS.REVIEW_STATUS_ACTION_REQUIRED])
        request = opportunity_service_pb2.ListOpportunitiesRequest(filter=filter_, page_size=2)
        found = {item.opportunity_id: item for item in pages(person.ListOpportunities, request, "opportunities")}
        check(found[key].life_cycle.review_comments == verdict["remarks"], found[key].life_cycle)
        self.read_notice(person, key)
        self.read_mail(key, verdict["remarks"])

        update = opportunity_service_pb2.UpdateOpportunityRequest(opportunity_id=key, request_id=request_id())
        update.opportunity.project.title = "Another title"
        update.update_mask.CopyFrom(field_mask_pb2.FieldMask(paths=["project.title"]))
        refused = refusal(person.UpdateOpportunity, update)
        check(refused.reason == "FIELD_NOT_EDITABLE", refused.reason)

        update = opportunity_service_pb2.UpdateOpportunityRequest(opportunity_id=key, request_id=request_id())
        update.opportunity.CopyFrom(opportunity(verdict["fix"]))
        person.UpdateOpportunity(update)
        self.submit_one(position)
        self.decide(position, 2, {"decision": "APPROVE"})

    def read_notice(self, person, key):
        def unread():
            request = notification_service_pb2.ListNotificationsRequest(unread_only=True)
            kind = notification_pb2.NOTIFICATION_KIND_ACTION_REQUIRED
            notices = pages(person.ListNotifications, request, "notifications")
            return [notice for notice in notices if notice.opportunity_id == key and notice.kind == kind]

        notice = eventually(f"{person.name} is told of {key}", unread)[0]
        before = person.GetUnreadCount(notification_service_pb2.GetUnreadCountRequest()).unread_count
        read = notification_service_pb2.MarkNotificationsReadRequest(
            notification_ids=[notice.notification_id], request_id=request_id()
        )
        check(person.MarkNotificationsRead(read).unread_count < before, "marking as read left the count as it was")

    def read_mail(self, key, remarks):
        def arrived():
            for path in self.mail.glob("*.eml"):
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                if key in mail["Subject"] and "needs your action" in mail["Subject"]:
                    return mail.get_body(("plain",)).get_content()
            return None

        check(remarks in eventually(f"an e-mail about {key}", arrived), "the e-mail lacks the remarks")

    def refer(self):
        """AWS offers a deal to two partners: the first does not want it, the second one takes it."""
        seller, first, second = self.person(SELLER), self.person(OUTSIDER), self.person("alder-ace-manager")
        request = referral_service_pb2.CreateReferralRequest(request_id=request_id())
        given = request.referral
        given.receiver_account_ids.extend(["222222222222", "111111111111"])
        given.customer_consent_time.GetCurrentTime()
        given.message = "They know you from the fair."
        given.receiver_responsibilities.append(type_pb2.RECEIVER_RESPONSIBILITY_SERVICES_PARTNER)
        given.sender_contacts.add(first_name="Vera", email="vera@aws.example", business_title="AWSSalesRep")
        given.opportunity.CopyFrom(opportunity(REFERRED, closes_in_days=180))
        made = seller.CreateReferral(request).referral
        offer = made.offers[0].referral_offer_id
        seen = first.GetReferralOffer(referral_service_pb2.GetReferralOfferRequest(referral_offer_id=offer)).referral_offer
        check(seen.opportunity.customer_company_name == "Hafenkontor GmbH", seen)
        check(b"Untertrave" not in seen.SerializeToString(), "the street is hidden before the answer")
        first.RejectReferralOffer(
            referral_service_pb2.RejectReferralOfferRequest(
                referral_offer_id=offer,
                reason=type_pb2.REJECTION_REASON_UNABLE_TO_SUPPORT,
                request_id=request_id(),
            )
        )

        def next_offer():
            request = referral_service_pb2.GetReferralRequest(referral_id=made.referral_id)
            offers = seller.GetReferral(request).referral.offers
            return offers[1].referral_offer_id if len(offers) > 1 else None

        offer = eventually("the next partner is asked", next_offer)
        accept = referral_service_pb2.AcceptReferralOfferRequest(referral_offer_id=offer, request_id=request_id())
        key = second.AcceptReferralOffer(accept).referral_offer.opportunity_id
        check(second.AcceptReferralOffer(accept).referral_offer.opportunity_id == key, "repeated, it is another opportunity")

        def there():
            try:
                request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=key)
                return second.GetOpportunity(request).opportunity
            except grpc.RpcError:
                return None

        record = eventually(f"{key} comes to be", there)
        check(record.referral_offer_id == offer, record.referral_offer_id)
        check(record.customer.account.address.street_address == "An der Untertrave 7", "the whole deal")

    def connect(self):
        """Alder invites Birch to work together."""
        sender, receiver = self.person("alder-alliance-lead"), self.person(OUTSIDER)
        named = account_service_pb2.PartnerFilter(name="birch")
        found = sender.ListPartners(account_service_pb2.ListPartnersRequest(filter=named)).partners[0]
        request = connection_service_pb2.CreateConnectionInvitationRequest(
            type=connection_pb2.CONNECTION_TYPE_OPPORTUNITY_COLLABORATION,
            receiver_id=found.profile.profile_id,
            inviter_name="Amara Okafor",
            inviter_email="amara.okafor@alder.example",
            message="Shall we work together?",
            request_id=request_id(),
        )
        key = sender.CreateConnectionInvitation(request).connection_invitation.connection_invitation_id
        receiver.AcceptConnectionInvitation(
            connection_service_pb2.AcceptConnectionInvitationRequest(
                connection_invitation_id=key, request_id=request_id()
            )
        )

    def share(self):
        """A partner shares a deal with another one, which has a copy of it that needs no review of its own."""
        self.connect()
        position = next(
            position
            for position, record in self.verdicts()
            if record["verdict"]["decision"] == "APPROVE" and record["member"].startswith("alder")
        )
        manager, other = self.person("alder-ace-manager"), self.person(OUTSIDER)
        request = collaboration_service_pb2.ShareOpportunityRequest(
            opportunity_id=self.ids[position], message="Shall we do it together?", request_id=request_id()
        )
        request.receivers.add(
            account_id="222222222222",
            responsibilities=[type_pb2.RECEIVER_RESPONSIBILITY_SOFTWARE_PARTNER],
        )
        request.sender_contacts.add(first_name="Chiara", email="chiara.rossi@alder.example")

        def shared():
            # The connection is known to all services within moments.
            try:
                return manager.ShareOpportunity(request)
            except grpc.RpcError as error:
                refused = Refused(error)
                check(refused.reason == "NOT_CONNECTED", refused)
                return None

        made = eventually("the deal is shared", shared)
        key = made.engagement_invitations[0].engagement_invitation_id
        read = collaboration_service_pb2.GetEngagementInvitationRequest(engagement_invitation_id=key)
        seen = other.GetEngagementInvitation(read).engagement_invitation
        check(seen.sender_company_name and seen.opportunity_invitation.project.title, seen)
        check(self.ids[position].encode() not in seen.SerializeToString(), "the sender's id is the sender's")
        accept = collaboration_service_pb2.AcceptEngagementInvitationRequest(
            engagement_invitation_id=key, request_id=request_id()
        )
        copy = other.AcceptEngagementInvitation(accept).engagement_invitation.opportunity_id
        again = other.AcceptEngagementInvitation(accept).engagement_invitation.opportunity_id
        check(again == copy, "repeated, it is another one")

        def there():
            try:
                request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=copy)
                return other.GetOpportunity(request).opportunity
            except grpc.RpcError:
                return None

        record = eventually(f"{copy} comes to be", there)
        check(record.engagement_invitation_id == key, record.engagement_invitation_id)
        check(record.life_cycle.review_status == STATUS.REVIEW_STATUS_APPROVED, "it stands where the other one stands")
        listed = collaboration_service_pb2.ListEngagementMembersRequest(engagement_id=made.engagement.engagement_id)
        members = list(pages(other.ListEngagementMembers, listed, "engagement_members"))
        check([member.account_id for member in members] == ["111111111111", "222222222222"], members)

    def keep_out(self):
        outsider = self.person(OUTSIDER)
        request = opportunity_service_pb2.ListOpportunitiesRequest(page_size=10)
        seen = {item.opportunity_id for item in pages(outsider.ListOpportunities, request, "opportunities")}
        for position, record in enumerate(self.records):
            if record["member"].startswith("alder"):
                check(self.ids[position] not in seen, f"{OUTSIDER} sees {self.ids[position]}")
                request = opportunity_service_pb2.GetOpportunityRequest(opportunity_id=self.ids[position])
                refused = refusal(outsider.GetOpportunity, request)
                check(refused.code == grpc.StatusCode.NOT_FOUND, refused)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True, help="host:port of the installation")
    for folder in ["--tokens", "--mail", "--input"]:
        parser.add_argument(folder, required=True, type=pathlib.Path)
    Journey(parser.parse_args()).play()
    print("arrived")


if __name__ == "__main__":
    sys.exit(main())
