use chrono::{DateTime, Utc};
use cosell_types::standard::{AWS_MATURITY, COUNTRY, INDUSTRY, MARKET_SEGMENT, StandardList};
use cosell_types::{
    AccountId, FieldPath, MemberId, OpportunityId, Pii, Violation, ViolationCode, revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::values::LeadState;
use super::{LeadEvent, Offer, OfferId, Rule};

/// The most interactions of a lead (REF-052).
const MAX_INTERACTIONS: usize = 10;

text_id!(
    /// The id of a lead: `lead-` and 13 lower-case letters or digits.
    LeadId,
    "lead id",
    "lead- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "lead-")
);

/// The aggregate of a lead: a potential customer whom AWS offered and a partner accepted. Its details, the data about
/// the customer, are stored beside it. The methods check all rules first: a call that violates one returns an error and
/// changes nothing, any other returns the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    id: LeadId,
    account: AccountId,
    offer: OfferId,
    owner: MemberId,
    revision: i64,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    state: LeadState,
    custom_state: Pii<String>,
    /// The number of interactions, which are stored in the details.
    interactions: usize,
    opportunity: Option<OpportunityId>,
}

impl Lead {
    /// The lead that the acceptance of an offer creates (REF-050). `None` if the offer is not accepted or offers an
    /// opportunity.
    pub fn accepted(offer: &Offer, interactions: usize) -> Option<(Self, LeadEvent)> {
        let (id, answer) = (offer.lead()?, offer.answer()?);
        let lead = Self {
            id: id.clone(),
            account: offer.account().clone(),
            offer: offer.id().clone(),
            owner: answer.answered_by.clone(),
            revision: 1,
            create_time: answer.answer_time,
            update_time: answer.answer_time,
            state: LeadState::Unqualified,
            custom_state: Pii::default(),
            interactions,
            opportunity: None,
        };
        Some((lead, LeadEvent::Accepted))
    }

    /// Sets the state (REF-053). `None` if nothing changes.
    pub fn set_state(
        &mut self,
        state: LeadState,
        custom_state: &Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<Option<LeadEvent>, Rule> {
        self.require_unconverted()?;
        let custom_state = custom_state.reveal().trim();
        let violation = match (state, custom_state.is_empty()) {
            (LeadState::Other, true) => Some((
                ViolationCode::RequiredFieldMissing,
                "Is required with state OTHER.",
            )),
            (LeadState::Other, false) | (_, true) => None,
            (_, false) => Some((ViolationCode::InvalidValue, "Is allowed only with state OTHER.")),
        };
        if let Some((code, text)) = violation {
            return Err(invalid("custom_state", code, text));
        }
        if self.state == state && self.custom_state.reveal() == custom_state {
            return Ok(None);
        }
        self.state = state;
        self.custom_state = custom_state.into();
        self.increment_revision(now);
        Ok(Some(LeadEvent::StateChanged))
    }

    /// Counts an interaction that is added to the details (REF-052).
    pub fn add_interaction(&mut self, now: DateTime<Utc>) -> Result<LeadEvent, Rule> {
        self.require_unconverted()?;
        if self.interactions >= MAX_INTERACTIONS {
            let text = "A lead can have at most 10 interactions.";
            return Err(invalid("interaction", ViolationCode::TooManyValues, text));
        }
        self.interactions += 1;
        self.increment_revision(now);
        Ok(LeadEvent::InteractionAdded)
    }

    /// Assigns the lead to a member (REF-056). `None` if the member is already the owner.
    pub fn assign(&mut self, owner: &MemberId, now: DateTime<Utc>) -> Result<Option<LeadEvent>, Rule> {
        self.require_unconverted()?;
        if self.owner == *owner {
            return Ok(None);
        }
        let from = std::mem::replace(&mut self.owner, owner.clone());
        self.increment_revision(now);
        Ok(Some(LeadEvent::Assigned { from }))
    }

    /// Converts the lead to an opportunity, once (REF-054).
    pub fn convert(
        &mut self,
        by: &MemberId,
        opportunity: OpportunityId,
        now: DateTime<Utc>,
    ) -> Result<LeadEvent, Rule> {
        self.require_unconverted()?;
        if self.state == LeadState::Disqualified {
            return Err(Rule::Disqualified);
        }
        self.opportunity = Some(opportunity);
        self.state = LeadState::Qualified;
        self.custom_state = Pii::default();
        self.increment_revision(now);
        Ok(LeadEvent::Converted { by: by.clone() })
    }

    fn require_unconverted(&self) -> Result<(), Rule> {
        match self.opportunity {
            Some(opportunity) => Err(Rule::Converted(opportunity)),
            None => Ok(()),
        }
    }

    fn increment_revision(&mut self, now: DateTime<Utc>) {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
    }
}

#[expect(missing_docs, reason = "fields are documented once, in lead.proto")]
impl Lead {
    pub fn id(&self) -> &LeadId {
        &self.id
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub fn offer(&self) -> &OfferId {
        &self.offer
    }

    pub fn owner(&self) -> &MemberId {
        &self.owner
    }

    pub fn revision(&self) -> i64 {
        self.revision
    }

    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    pub fn state(&self) -> LeadState {
        self.state
    }

    /// The text of the state OTHER; empty in any other state.
    pub fn custom_state(&self) -> &Pii<String> {
        &self.custom_state
    }

    /// The opportunity to which the lead was converted; `None` until then.
    pub fn opportunity(&self) -> Option<OpportunityId> {
        self.opportunity
    }
}

fn invalid(field: &str, code: ViolationCode, text: &str) -> Rule {
    let root = FieldPath::root();
    Rule::Invalid(vec![Violation::new(&root.field(field), code, text)])
}

/// The data about the customer of a lead that have standard values; empty where unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// A value of the standard list `industry`.
    pub industry: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// A value of the standard list `market_segment`.
    pub market_segment: String,
    /// A value of the standard list `aws_maturity`.
    pub aws_maturity: String,
}

impl Customer {
    /// Sets all values to their spelling in the standard lists. Returns the values that are not in their list
    /// (REF-050).
    pub fn normalize(&mut self, at: &FieldPath<'_>) -> Vec<Violation> {
        self.country.make_ascii_uppercase();
        let address = at.field("address");
        [
            (&INDUSTRY, &mut self.industry, at.field("industry")),
            (&COUNTRY, &mut self.country, address.field("country_code")),
            (
                &MARKET_SEGMENT,
                &mut self.market_segment,
                at.field("market_segment"),
            ),
            (&AWS_MATURITY, &mut self.aws_maturity, at.field("aws_maturity")),
        ]
        .into_iter()
        .filter_map(|(list, value, field)| normalize_value(list, value, &field))
        .collect()
    }

    /// Sets industry and country unless empty. Returns a violation for each that is not in its list or still missing
    /// (REF-054).
    pub fn complete(&mut self, industry: &str, country: &str) -> Vec<Violation> {
        if !industry.is_empty() {
            industry.clone_into(&mut self.industry);
        }
        if !country.is_empty() {
            self.country = country.to_ascii_uppercase();
        }
        let root = FieldPath::root();
        [
            (&INDUSTRY, &mut self.industry, root.field("industry")),
            (&COUNTRY, &mut self.country, root.field("country_code")),
        ]
        .into_iter()
        .filter_map(|(list, value, field)| {
            if value.is_empty() {
                let text = "Is required: the lead has no value.";
                return Some(Violation::new(&field, ViolationCode::RequiredFieldMissing, text));
            }
            normalize_value(list, value, &field)
        })
        .collect()
    }
}

/// Sets a value to its spelling in the list. Returns a violation if it is neither in the list nor empty.
fn normalize_value(list: &'static StandardList, value: &mut String, at: &FieldPath<'_>) -> Option<Violation> {
    if value.is_empty() {
        return None;
    }
    match list.canonical(value) {
        Some(canonical) => {
            canonical.clone_into(value);
            None
        }
        None => Some(Violation::not_in(list, at)),
    }
}
