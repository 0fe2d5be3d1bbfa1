use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::convert::time;
use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_store::{Claim, Scope, Tx, begin, claim, commit};
use cosell_types::{AccountId, FieldPath, Violation, ViolationCode, random};
use prost::Message as _;

use super::Api;
use crate::domain::{ConsentTime, Referral, Rule};
use crate::events::CONTEXT;
use crate::peers::check_opportunity;
use crate::routing::create_offer;
use crate::{convert, status, store};

pub async fn handle(
    api: Api,
    call: Call<pb::CreateReferralRequest>,
) -> Result<pb::CreateReferralResponse, Failure> {
    let id = random::prefixed("ref-");
    let mut tx = begin(&api.db, &call).await?;
    if let Claim::Replay(created_id) = claim(&mut tx, &call, &id).await? {
        return load_created(&mut tx, &call, &created_id).await;
    }
    // A replay is answered before validation, whose result may have changed since. The opportunity service validates a
    // new request while this call holds no database connection.
    drop(tx);
    let mut input = call.message.referral.clone().unwrap_or_default();
    let now = api.clock.now();
    let (receivers, consent) = validate(&api, &mut input, now).await?;
    let member = call.member()?;
    let mut tx = begin(&api.db, &call).await?;
    if let Claim::Replay(created_id) = claim(&mut tx, &call, &id).await? {
        return load_created(&mut tx, &call, &created_id).await;
    }
    let violated = |rule| status::rule_violated(rule, &id);
    let referral_id = id.parse().map_err(Failure::internal)?;
    let (account, by) = (member.account.clone(), member.id.clone());
    let (referral, event) =
        Referral::create(referral_id, account, by, receivers, consent, now).map_err(violated)?;
    for account in referral.receivers() {
        let receiver = store::load_receiver(&mut tx, account).await?;
        receiver
            .require_eligible(api.min_tier)
            .map_err(|cause| violated(Rule::Ineligible(account.clone(), cause)))?;
    }
    let content = pb::Referral {
        receiver_account_ids: input.receiver_account_ids,
        customer_consent_time: input.customer_consent_time,
        message: input.message,
        receiver_responsibilities: input.receiver_responsibilities,
        sender_contacts: input.sender_contacts,
        payload: input.payload,
        ..Default::default()
    };
    let cause = Cause::of(&call, now);
    // The event of the referral precedes that of the offer, whose consumers may read the referral.
    tx.switch_scope(&Scope::of(&call)).await?;
    store::insert_referral(&mut tx, &referral, &content.encode_to_vec(), event, cause).await?;
    let first = referral
        .receivers()
        .first()
        .ok_or_else(|| Failure::internal("the validated referral has no receiver"))?;
    let source = (&referral, &content);
    let offer = create_offer(&mut tx, source, first.clone(), &api.calendar, now).await?;
    let message = convert::referral(&referral, &content.encode_to_vec(), &[offer])?;
    if commit(tx, &call, CONTEXT, &[event.name()]).await? {
        tracing::info!(referral.id = %referral.id(), event = event.name(), "referral created");
    }
    Ok(pb::CreateReferralResponse {
        referral: Some(message),
    })
}

/// The referral that an earlier call with this request id created.
async fn load_created(
    tx: &mut Tx,
    call: &Call<pb::CreateReferralRequest>,
    id: &str,
) -> Result<pb::CreateReferralResponse, Failure> {
    let (account, referral_id) = (&call.member()?.account, id.parse().map_err(Failure::internal)?);
    let loaded = store::load_referral(tx, account, &referral_id).await?;
    let (referral, content) = loaded.ok_or_else(|| status::referral_not_found(id))?;
    let offers = store::load_offers_of(tx, account, std::slice::from_ref(&referral)).await?;
    Ok(pb::CreateReferralResponse {
        referral: Some(convert::referral(&referral, &content, &offers)?),
    })
}

/// Checks the rules that the field constraints of the message do not cover, and brings the payload into the form in
/// which the accepting partner receives it, so that the offer shows what the record will say (REF-012). Returns the
/// receivers and the time of the customer's consent.
async fn validate(
    api: &Api,
    referral: &mut pb::Referral,
    now: DateTime<Utc>,
) -> Result<(Vec<AccountId>, DateTime<Utc>), Failure> {
    let at = FieldPath::root();
    let at = at.field("referral");
    let consent = match &referral.customer_consent_time {
        None => ConsentTime::Unset,
        Some(stated) => time(stated).map_or(ConsentTime::Unrepresentable, ConsentTime::At),
    };
    let mut violations = Referral::check_consent(&consent, now);
    for (index, contact) in referral.sender_contacts.iter().enumerate() {
        if contact.email.is_empty() {
            let field = format!("sender_contacts[{index}].email");
            let text = "Is required: the partner needs a way to reach the contact.";
            violations.push(Violation::new(
                &at.field(&field),
                ViolationCode::RequiredFieldMissing,
                text,
            ));
        }
    }
    match &mut referral.payload {
        Some(Payload::Opportunity(opportunity)) => {
            let contacts = &referral.sender_contacts;
            let checked = check_opportunity(&api.opportunity, opportunity, contacts).await?;
            violations.extend(checked.violations);
            if let Some(received) = checked.opportunity {
                *opportunity = received;
            }
        }
        Some(Payload::Lead(lead)) => violations.extend(convert::normalize_lead(lead)),
        // The field constraints require a payload.
        None => {}
    }
    let receivers = referral.receiver_account_ids.iter();
    match consent {
        ConsentTime::At(consent) if violations.is_empty() => {
            Ok((receivers.filter_map(|id| id.parse().ok()).collect(), consent))
        }
        _ => Err(Failure::invalid(violations)),
    }
}
