//! The end of an opportunity in LAUNCHED or CLOSED_LOST, and corrections of it afterwards (OPP-043, OPP-049).

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use cosell_types::{MemberId, Pii};

use super::rule::ok_or_invalid;
use super::values::{ReviewStatus, Stage};
use super::{Details, Event, Facts, Field, Opportunity, Rule, check};

/// What a partner corrects of a closed opportunity.
#[derive(Clone, Debug)]
pub struct ClosureCorrection {
    /// The day on which billing began or the opportunity was lost; `None` leaves it unchanged.
    pub target_close_date: Option<NaiveDate>,
    /// The customer's AWS account; empty leaves it unchanged.
    pub aws_account_id: Pii<String>,
}

impl Opportunity {
    /// When the partner closed the opportunity; `None` while it is open. For one that an earlier release closed, its last
    /// change before this release, which is no earlier.
    pub fn close_time(&self) -> Option<DateTime<Utc>> {
        let is_closed =
            self.review.status == ReviewStatus::Approved && self.details.life_cycle.stage.is_terminal();
        is_closed.then(|| self.close_time.unwrap_or(self.update_time))
    }

    /// Corrects the close date or the customer's AWS account of a closed opportunity. `None` if neither changes (OPP-049).
    pub fn correct_closed(
        &mut self,
        by: &MemberId,
        correction: &ClosureCorrection,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        self.can_be_corrected(facts, now)?;
        let mut details = self.details.clone();
        if let Some(date) = correction.target_close_date {
            details.life_cycle.target_close_date = Some(date);
        }
        if !correction.aws_account_id.is_empty() {
            details.customer.account.aws_account_id = correction.aws_account_id.clone();
        }
        let mut violations = Vec::new();
        check::closing(&details, facts, now.date_naive(), &mut violations);
        ok_or_invalid(violations)?;
        let fields = [Field::TargetCloseDate, Field::AwsAccountId];
        let changed: Vec<_> = fields
            .into_iter()
            .filter(|field| field.differs(&self.details, &details))
            .collect();
        if changed.is_empty() {
            return Ok(None);
        }
        self.details = details;
        self.advance_revision(Some(by), now);
        Ok(Some(Event::ClosureCorrected(changed)))
    }

    /// Whether the partner can correct the closed opportunity: it was closed at most some days ago (OPP-049).
    pub fn can_be_corrected(&self, facts: &Facts<'_>, now: DateTime<Utc>) -> Result<(), Rule> {
        self.ensure_allowed(self.close_time().is_some(), "CORRECT_CLOSED")?;
        let days = facts.policy.correction_days;
        match self.close_time() {
            Some(close_time) if now - close_time > TimeDelta::days(days.into()) => {
                Err(Rule::CorrectionPeriodEnded { close_time, days })
            }
            _ => Ok(()),
        }
    }
}

/// A lost opportunity does not close in the future: an expected close date becomes today (OPP-043). To launch one, the
/// partner states the day on which billing began.
pub(super) fn end_expectation(details: &mut Details, today: NaiveDate) {
    let life_cycle = &mut details.life_cycle;
    if life_cycle.stage == Stage::ClosedLost && life_cycle.target_close_date.is_some_and(|date| date > today)
    {
        life_cycle.target_close_date = Some(today);
    }
}
