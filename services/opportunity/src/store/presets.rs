//! The conditions of the presets, for lists and counts (OPP-063).

use cosell_types::Member;
use sqlx::{Postgres, QueryBuilder};

use crate::domain::Periods;
use crate::domain::values::Preset;

/// The caller and the time of a query.
#[derive(Clone, Copy, Debug)]
pub struct QueryContext<'a> {
    /// The member whose visibility and flags count.
    pub member: &'a Member,
    /// The current month, quarter and recent days.
    pub periods: &'a Periods,
}

impl QueryContext<'_> {
    /// Appends the condition of a preset.
    pub fn push_preset_condition(self, query: &mut QueryBuilder<Postgres>, preset: Preset) {
        let Periods {
            week_ago,
            two_weeks_ago,
            month,
            quarter,
        } = *self.periods;
        match preset {
            Preset::AllCustomerEngagements => {
                query.push("(review_status <> 'PENDING_SUBMISSION' OR origin = 'AWS_REFERRAL')");
            }
            Preset::Draft => {
                query.push("review_status = 'PENDING_SUBMISSION'");
            }
            Preset::InReview => {
                query.push("review_status IN ('SUBMITTED', 'IN_REVIEW')");
            }
            Preset::ValidatedOpen => {
                query.push("(review_status = 'APPROVED' AND stage NOT IN ('LAUNCHED', 'CLOSED_LOST'))");
            }
            Preset::Committed => {
                query.push("stage = 'COMMITTED'");
            }
            Preset::Launched => {
                query.push("stage = 'LAUNCHED'");
            }
            Preset::ClosingThisMonth => {
                query.push("(target_close_date >= ").push_bind(month.0);
                query
                    .push(" AND target_close_date < ")
                    .push_bind(month.1)
                    .push(")");
            }
            Preset::PendingAcceptance => {
                // Refused before any query. No record has this id, and an index serves the condition.
                query.push("opportunity_id = -1");
            }
            Preset::PartnerReferred => {
                query.push("(origin = 'PARTNER_REFERRAL' AND review_status = 'APPROVED')");
            }
            Preset::AwsReferred => {
                query.push("(origin = 'AWS_REFERRAL' AND review_status = 'APPROVED')");
            }
            Preset::Flagged => self.push_is_flagged(query),
            Preset::SharedByAwsLast7Days => {
                query
                    .push("(origin = 'AWS_REFERRAL' AND create_time >= ")
                    .push_bind(week_ago)
                    .push(")");
            }
            Preset::SharedByAwsThisQuarter => {
                query
                    .push("(origin = 'AWS_REFERRAL' AND create_time >= ")
                    .push_bind(quarter.0);
                query.push(" AND create_time < ").push_bind(quarter.1).push(")");
            }
            Preset::NoUpdateForTwoWeeks => {
                query.push("update_time < ").push_bind(two_weeks_ago);
            }
            Preset::SubmittedLast7Days => {
                query.push("(review_status <> 'PENDING_SUBMISSION' AND submit_time >= ");
                query.push_bind(week_ago).push(")");
            }
            Preset::SubmittedThisQuarter => {
                query.push("(review_status <> 'PENDING_SUBMISSION' AND submit_time >= ");
                query.push_bind(quarter.0);
                query.push(" AND submit_time < ").push_bind(quarter.1).push(")");
            }
            Preset::ActionRequired => {
                query.push("review_status = 'ACTION_REQUIRED'");
            }
        }
    }

    /// Appends the expression whether the member has flagged the record (OPP-066).
    pub fn push_is_flagged(self, query: &mut QueryBuilder<Postgres>) {
        query.push(
            "EXISTS (SELECT FROM opportunity_flag f WHERE f.account_id = opportunity.account_id
               AND f.opportunity_id = opportunity.opportunity_id AND f.member_account_id = ",
        );
        query.push_bind(self.member.account.to_string());
        query
            .push(" AND f.member_id = ")
            .push_bind(self.member.id.to_string())
            .push(")");
    }
}
