use chrono::{DateTime, Utc};
use cosell_types::standard::{AWS_MATURITY, COUNTRY, INDUSTRY, MARKET_SEGMENT, StandardList};
use cosell_types::{
    AccountId, FieldPath, MemberId, OpportunityId, Pii, Violation, ViolationCode, revision_time, text_id,
};
use serde::{Deserialize, Serialize};

use super::values::LeadState;
use super::{LeadEvent, Offer, OfferId, Rule};

/// Interactions that a lead has at most (REF-052).
const INTERACTIONS: usize = 10;

text_id!(
    /// A lead: `lead-` and 13 lower-case letters or digits.
    LeadId,
    "lead id",
    "lead- and 13 lower-case letters or digits",
    |text| cosell_types::is_prefixed(text, "lead-")
);

/// A customer who may have a deal, whom a partner has accepted: the aggregate. What is known of the customer stands
/// beside it. It changes only through its methods, each of which checks everything first, changes nothing when a rule
/// is broken, and returns what happened.
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
    /// How many there are.
    interactions: usize,
    opportunity: Option<OpportunityId>,
}

impl Lead {
    /// What a partner has of an offer that it accepted (REF-050). None for an offer of something else, or one that
    /// was not accepted.
    pub fn accepted(offer: &Offer, interactions: usize) -> Option<(Self, LeadEvent)> {
        let (id, answer) = (offer.lead()?, offer.answer()?);
        let lead = Self {
            id: id.clone(),
            account: offer.account().clone(),
            offer: offer.id().clone(),
            owner: answer.by.clone(),
            revision: 1,
            create_time: answer.time,
            update_time: answer.time,
            state: LeadState::Unqualified,
            custom_state: Pii::default(),
            interactions,
            opportunity: None,
        };
        Some((lead, LeadEvent::Accepted))
    }

    /// Says what has become of it. None when that is known (REF-053).
    pub fn set_state(
        &mut self,
        state: LeadState,
        custom_state: &Pii<String>,
        now: DateTime<Utc>,
    ) -> Result<Option<LeadEvent>, Rule> {
        self.require_open()?;
        let words = custom_state.reveal().trim();
        let wrong = match (state, words.is_empty()) {
            (LeadState::Other, true) => Some((
                ViolationCode::RequiredFieldMissing,
                "is required with state OTHER",
            )),
            (LeadState::Other, false) | (_, true) => None,
            (_, false) => Some((ViolationCode::InvalidValue, "is only allowed with state OTHER")),
        };
        if let Some((code, text)) = wrong {
            return Err(invalid("custom_state", code, text));
        }
        if self.state == state && self.custom_state.reveal() == words {
            return Ok(None);
        }
        self.state = state;
        self.custom_state = words.into();
        self.step(now);
        Ok(Some(LeadEvent::StateChanged))
    }

    /// Notes something that the customer has done (REF-052).
    pub fn add_interaction(&mut self, now: DateTime<Utc>) -> Result<LeadEvent, Rule> {
        self.require_open()?;
        if self.interactions >= INTERACTIONS {
            let text = "is one too many: a lead has at most 10 interactions";
            return Err(invalid("interaction", ViolationCode::TooManyValues, text));
        }
        self.interactions += 1;
        self.step(now);
        Ok(LeadEvent::InteractionAdded)
    }

    /// Gives it to another member. None when that one has it (REF-056).
    pub fn assign(&mut self, owner: &MemberId, now: DateTime<Utc>) -> Result<Option<LeadEvent>, Rule> {
        self.require_open()?;
        if self.owner == *owner {
            return Ok(None);
        }
        let from = std::mem::replace(&mut self.owner, owner.clone());
        self.step(now);
        Ok(Some(LeadEvent::Assigned { from }))
    }

    /// Makes an opportunity of it, once (REF-054).
    pub fn convert(
        &mut self,
        by: &MemberId,
        opportunity: OpportunityId,
        now: DateTime<Utc>,
    ) -> Result<LeadEvent, Rule> {
        self.require_open()?;
        if self.state == LeadState::Disqualified {
            return Err(Rule::Disqualified);
        }
        self.opportunity = Some(opportunity);
        self.state = LeadState::Qualified;
        self.custom_state = Pii::default();
        self.step(now);
        Ok(LeadEvent::Converted { by: by.clone() })
    }

    fn require_open(&self) -> Result<(), Rule> {
        match self.opportunity {
            Some(opportunity) => Err(Rule::Converted(opportunity)),
            None => Ok(()),
        }
    }

    fn step(&mut self, now: DateTime<Utc>) {
        self.revision += 1;
        self.update_time = revision_time(self.update_time, now);
    }

    /// Its id.
    pub fn id(&self) -> &LeadId {
        &self.id
    }

    /// The partner.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The offer that it comes of.
    pub fn offer(&self) -> &OfferId {
        &self.offer
    }

    /// Who works on it.
    pub fn owner(&self) -> &MemberId {
        &self.owner
    }

    /// Number of its changes.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// When it was accepted.
    pub fn create_time(&self) -> DateTime<Utc> {
        self.create_time
    }

    /// When it changed last.
    pub fn update_time(&self) -> DateTime<Utc> {
        self.update_time
    }

    /// What has become of it.
    pub fn state(&self) -> LeadState {
        self.state
    }

    /// What has become of it, in the partner's words.
    pub fn custom_state(&self) -> &Pii<String> {
        &self.custom_state
    }

    /// The opportunity that was made of it.
    pub fn opportunity(&self) -> Option<OpportunityId> {
        self.opportunity
    }
}

fn invalid(field: &str, code: ViolationCode, text: &str) -> Rule {
    let root = FieldPath::root();
    Rule::Invalid(vec![Violation::new(&root.field(field), code, text)])
}

/// Of the customer of a lead, what is one of a list; empty where it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The industry.
    pub industry: String,
    /// The country.
    pub country: String,
    /// The size.
    pub market_segment: String,
    /// The experience with AWS.
    pub aws_maturity: String,
}

impl Customer {
    /// Writes what is known as the lists have it, and returns what is of no list (REF-050).
    pub fn settle(&mut self, at: &FieldPath<'_>) -> Vec<Violation> {
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
        .filter_map(|(list, value, field)| settle(list, value, &field))
        .collect()
    }

    /// Takes what the caller adds at conversion, and returns what is of no list or still not known (REF-054).
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
                let text = "is required: the lead has none";
                return Some(Violation::new(&field, ViolationCode::RequiredFieldMissing, text));
            }
            settle(list, value, &field)
        })
        .collect()
    }
}

/// Writes a value as its list has it; empty is not known.
fn settle(list: &'static StandardList, value: &mut String, at: &FieldPath<'_>) -> Option<Violation> {
    if value.is_empty() {
        return None;
    }
    match list.canonical(value) {
        Some(known) => {
            known.clone_into(value);
            None
        }
        None => Some(Violation::not_in(list, at)),
    }
}
