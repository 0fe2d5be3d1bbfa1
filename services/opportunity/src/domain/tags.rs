//! Tags: labels that organize the partner's data. They state nothing about the opportunity, so they can be changed in
//! every state (OPP-009).

use chrono::{DateTime, Utc};
use cosell_types::{FieldPath, MemberId, Violation, ViolationCode};

use super::rule::ok_or_invalid;
use super::{Event, Opportunity, Rule, Tag};

/// Maximum number of tags of an opportunity.
const MAX_TAGS: usize = 200;

impl Opportunity {
    /// Sets tags; the value of an existing key is replaced. `None` if nothing changes.
    pub fn tag(&mut self, by: &MemberId, input: &[Tag], now: DateTime<Utc>) -> Result<Option<Event>, Rule> {
        let mut tags = self.details.tags.clone();
        for tag in input {
            match tags.iter_mut().find(|present| present.key == tag.key) {
                Some(present) => present.value.clone_from(&tag.value),
                None => tags.push(tag.clone()),
            }
        }
        let mut violations = duplicate_keys(input);
        if tags.len() > MAX_TAGS {
            let text = format!(
                "An opportunity can have at most {MAX_TAGS} tags; this one would have {}.",
                tags.len()
            );
            let root = FieldPath::root();
            violations.push(Violation::new(
                &root.field("tags"),
                ViolationCode::TooManyValues,
                text,
            ));
        }
        ok_or_invalid(violations)?;
        Ok(self.replace_tags(by, tags, now))
    }

    /// Removes tags by their keys. `None` if no tag has one of them.
    pub fn untag(&mut self, by: &MemberId, keys: &[String], now: DateTime<Utc>) -> Option<Event> {
        let mut tags = self.details.tags.clone();
        tags.retain(|tag| !keys.contains(&tag.key));
        self.replace_tags(by, tags, now)
    }

    fn replace_tags(&mut self, by: &MemberId, tags: Vec<Tag>, now: DateTime<Utc>) -> Option<Event> {
        if self.details.tags == tags {
            return None;
        }
        self.details.tags = tags;
        self.advance_revision(Some(by), now);
        Some(Event::Tagged)
    }
}

/// A violation for each tag whose key an earlier tag has.
pub(super) fn duplicate_keys(tags: &[Tag]) -> Vec<Violation> {
    let is_duplicate =
        |(index, tag): &(usize, &Tag)| tags.iter().take(*index).any(|earlier| earlier.key == tag.key);
    let root = FieldPath::root();
    tags.iter()
        .enumerate()
        .filter(is_duplicate)
        .map(|(index, _)| {
            let field = format!("tags[{index}].key");
            let text = "Duplicate value: each key may be listed only once.";
            Violation::new(&root.field(&field), ViolationCode::InvalidValue, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use cosell_types::ClosedList as _;

    use super::super::fixtures::{draft, in_status, member, minimal, now};
    use super::super::values::{InvolvementType, ReviewStatus};
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn opp_009_tags_change_in_every_status_without_other_changes() {
        for status in ReviewStatus::ALL.iter().copied() {
            let before = in_status(status, InvolvementType::CoSell);
            let mut record = before.clone();
            let tags = [tag("region", "north"), tag("team", "")];
            let event = record.tag(&member("creator"), &tags, now());
            assert_eq!(event, Ok(Some(Event::Tagged)), "{status:?}");
            assert_eq!(record.details().tags, tags);
            assert_eq!(record.revision(), before.revision() + 1);
            assert_eq!(
                record.tag(&member("creator"), &tags, now()),
                Ok(None),
                "{status:?}"
            );
            let changed = record.tag(&member("creator"), &[tag("region", "south")], now());
            assert_eq!(changed, Ok(Some(Event::Tagged)));
            assert_eq!(record.details().tags, [tag("region", "south"), tag("team", "")]);
            let keys = ["region".to_owned(), "team".to_owned()];
            let removed = record.untag(&member("creator"), &keys, now());
            assert_eq!(removed, Some(Event::Tagged));
            assert_eq!(record.untag(&member("creator"), &keys, now()), None);
            assert_eq!(record.details(), before.details(), "{status:?}");
            assert_eq!(record.review(), before.review(), "{status:?}");
        }
    }

    #[test]
    fn opp_009_more_than_200_tags_and_duplicate_keys_are_refused() {
        let mut record = draft(minimal());
        let all: Vec<_> = (0..MAX_TAGS).map(|number| tag(&number.to_string(), "")).collect();
        record.tag(&member("creator"), &all, now()).expect("tags");
        let before = record.clone();
        let violations_of = |result: Result<Option<Event>, Rule>| match result {
            Err(Rule::Invalid(violations)) => violations
                .into_iter()
                .map(|violation| (violation.field, violation.code))
                .collect(),
            other => panic!("{other:?}"),
        };
        let excess = [tag("one more", "")];
        let violations: Vec<_> = violations_of(record.tag(&member("creator"), &excess, now()));
        assert_eq!(violations, [("tags".to_owned(), ViolationCode::TooManyValues)]);
        let duplicates = [tag("1", "a"), tag("1", "b")];
        let violations: Vec<_> = violations_of(record.tag(&member("creator"), &duplicates, now()));
        assert_eq!(
            violations,
            [("tags[1].key".to_owned(), ViolationCode::InvalidValue)]
        );
        assert_eq!(record, before, "a refused call changes nothing");
    }
}
