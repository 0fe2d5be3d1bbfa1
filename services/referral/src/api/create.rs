use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure, Retry};
use cosell_proto::cosell::opportunity::v1 as opportunity;
use cosell_proto::cosell::opportunity::v1::opportunity_internal_service_client::OpportunityInternalServiceClient;
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_store::{Claim, Scope, Tx, claim};
use cosell_types::{AccountId, FieldPath, Violation, ViolationCode, random};
use prost::Message as _;
use prost_types::Timestamp;
use tonic::Code;

use super::{Api, PLATFORM, convert, note, status};
use crate::domain::values::PayloadType;
use crate::domain::{Offer, Referral, Rule};
use crate::store;

pub async fn handle(
    api: Api,
    call: Call<pb::CreateReferralRequest>,
) -> Result<pb::CreateReferralResponse, Failure> {
    let id = random::prefixed("ref-");
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
        return again(&mut tx, &call, &done).await;
    }
    // What was done is answered whatever has changed since; what is new is checked while no transaction is open.
    drop(tx);
    let mut given = call.message.referral.clone().unwrap_or_default();
    let now = api.clock.now();
    let (receivers, consent) = sound(&api, &mut given, now).await?;
    let member = call.member()?;
    let mut tx = api.begin(&call).await?;
    if let Claim::Replay(done) = claim(&mut tx, &call, &id).await? {
        return again(&mut tx, &call, &done).await;
    }
    let broken = |rule| status::broken(rule, &id);
    let referral_id = id.parse().map_err(Failure::internal)?;
    let (account, by) = (member.account.clone(), member.id.clone());
    let (referral, event) =
        Referral::create(referral_id, account, by, receivers, consent, now).map_err(broken)?;
    for receiver in referral.receivers() {
        let standing = store::receiver(&mut tx, receiver).await?;
        standing
            .require_eligible(api.tier)
            .map_err(|cause| broken(Rule::Ineligible(receiver.clone(), cause)))?;
    }
    let content = pb::Referral {
        receiver_account_ids: given.receiver_account_ids,
        customer_consent_time: given.customer_consent_time,
        message: given.message,
        receiver_responsibilities: given.receiver_responsibilities,
        sender_contacts: given.sender_contacts,
        payload: given.payload,
        ..Default::default()
    };
    let actor = call.caller.actor();
    let cause = Cause {
        actor: &actor,
        request_id: &call.tag.request_id,
        time: now,
    };
    // AWS first: the event of the partner may be read by those who then look for the referral.
    tx.act_for(&Scope::of(&call)).await?;
    store::save_new_referral(&mut tx, &referral, &content.encode_to_vec(), event, cause).await?;
    let first = referral
        .receivers()
        .first()
        .ok_or_else(|| Failure::internal("validated, but no receiver"))?;
    let referral_offer_id = random::prefixed_digit("engi-")
        .parse()
        .map_err(Failure::internal)?;
    let (offer, made) = Offer::make(
        referral_offer_id,
        first.clone(),
        &referral,
        payload_type(&content),
        &api.calendar,
        now,
    );
    offer_to(&mut tx, &content, &offer, made).await?;
    let shown = convert::referral(&referral, &content.encode_to_vec(), &[offer])?;
    if !call.message.validate_only {
        tx.commit().await?;
        note(event.name());
        tracing::info!(referral.id = %referral.id(), "referral {}", event.name());
    }
    Ok(pb::CreateReferralResponse {
        referral: Some(shown),
    })
}

/// Makes an offer of what a referral says. The transaction is for the partner afterwards. The event is the platform's doing
/// for the first partner as for every other one, so that none learns which it is (REF-011).
pub async fn offer_to(
    tx: &mut Tx,
    content: &pb::Referral,
    offer: &Offer,
    event: crate::domain::Event,
) -> Result<(), Failure> {
    let cause = Cause {
        actor: PLATFORM,
        request_id: offer.id().as_str(),
        time: offer.offer_time(),
    };
    tx.act_for(&Scope::account(offer.account())).await?;
    let shown = convert::shown(content, offer).encode_to_vec();
    let accepted = match &content.payload {
        Some(Payload::Lead(lead)) => lead.encode_to_vec(),
        Some(Payload::Opportunity(opportunity)) => pb::GetAcceptedOpportunityResponse {
            opportunity: Some(opportunity.clone()),
            sender_contacts: content.sender_contacts.clone(),
        }
        .encode_to_vec(),
        None => return Err(Failure::internal("validated, but no payload")),
    };
    store::make_offer(tx, offer, (&shown, &accepted), event, cause).await?;
    Ok(())
}

/// What a referral offers.
pub fn payload_type(content: &pb::Referral) -> PayloadType {
    match content.payload {
        Some(Payload::Lead(_)) => PayloadType::LeadInvitation,
        Some(Payload::Opportunity(_)) | None => PayloadType::OpportunityInvitation,
    }
}

/// The referral that a call made before.
async fn again(
    tx: &mut Tx,
    call: &Call<pb::CreateReferralRequest>,
    id: &str,
) -> Result<pb::CreateReferralResponse, Failure> {
    let (account, referral_id) = (&call.member()?.account, id.parse().map_err(Failure::internal)?);
    let found = store::load_referral(tx, account, &referral_id).await?;
    let (referral, content) = found.ok_or_else(|| status::referral_not_found(id))?;
    let offers = store::offers_of(tx, account, std::slice::from_ref(&referral)).await?;
    Ok(pb::CreateReferralResponse {
        referral: Some(convert::referral(&referral, &content, &offers)?),
    })
}

/// What the form of the request leaves open, with everything that is wrong. Of a lead, words of lists are written as
/// they are kept.
async fn sound(
    api: &Api,
    given: &mut pb::Referral,
    now: DateTime<Utc>,
) -> Result<(Vec<AccountId>, DateTime<Utc>), Failure> {
    let at = FieldPath::root();
    let at = at.field("referral");
    let consent = given.customer_consent_time.and_then(time);
    let mut found = Referral::check_consent(consent, now);
    for (index, contact) in given.sender_contacts.iter().enumerate() {
        if contact.email.is_empty() {
            let field = format!("sender_contacts[{index}].email");
            let text = "is required: whom a partner may turn to must be reachable";
            found.push(Violation::new(
                &at.field(&field),
                ViolationCode::RequiredFieldMissing,
                text,
            ));
        }
    }
    match &mut given.payload {
        Some(Payload::Opportunity(opportunity)) => {
            found.extend(violations_of(api, opportunity, &given.sender_contacts).await?);
        }
        Some(Payload::Lead(lead)) => found.extend(convert::settle_lead(lead)),
        // The form of the request demands one.
        None => {}
    }
    let receivers = given.receiver_account_ids.iter();
    match consent {
        Some(consent) if found.is_empty() => {
            Ok((receivers.filter_map(|id| id.parse().ok()).collect(), consent))
        }
        _ => Err(Failure::invalid(found)),
    }
}

fn time(given: Timestamp) -> Option<DateTime<Utc>> {
    let nanos = u32::try_from(given.nanos).ok()?;
    DateTime::from_timestamp(given.seconds, nanos).filter(cosell_grpc::convert::is_stored)
}

/// What keeps the deal from being taken as an opportunity: the opportunity service says so, so that what is accepted later
/// comes to be (REF-003). It is asked as one service by another; nothing of any account is read.
async fn violations_of(
    api: &Api,
    opportunity: &opportunity::Opportunity,
    sender_contacts: &[opportunity::Contact],
) -> Result<Vec<Violation>, Failure> {
    let question = opportunity::CheckReferredOpportunityRequest {
        opportunity: Some(opportunity.clone()),
        sender_contacts: sender_contacts.to_vec(),
    };
    let request = api.opportunity.request(question)?;
    let answer = OpportunityInternalServiceClient::new(api.opportunity.channel())
        .check_referred_opportunity(request)
        .await;
    let answer = answer.map_err(|status| match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled => {
            Failure::unavailable(Retry::Never, status)
        }
        _ => Failure::internal(status),
    })?;
    let root = FieldPath::root();
    let problems = answer.into_inner().violations.into_iter().map(|problem| {
        let wrong = problem.field.unwrap_or_default();
        let field = format!("referral.{}", wrong.field);
        let code = ViolationCode::from_name(&wrong.code).unwrap_or(ViolationCode::InvalidValue);
        Violation {
            original: wrong.partner_central_field,
            rejected: wrong.rejected_value,
            allowed: wrong.allowed_values,
            pattern: wrong.pattern,
            ..Violation::new(&root.field(&field), code, problem.description)
        }
    });
    Ok(problems.collect())
}
