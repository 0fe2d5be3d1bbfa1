//! Tags: free labels, which say nothing of the deal and can therefore be changed at any time (OPP-009).

use chrono::{DateTime, Utc};
use cosell_types::{FieldPath, MemberId, Violation, ViolationCode};

use super::opportunity::none;
use super::{Event, Opportunity, Rule, Tag};

/// Tags that a record has at most.
const MOST: usize = 200;

impl Opportunity {
    /// Sets tags, each in place of one with its key. `None` when the record has them already.
    pub fn tag(&mut self, by: &MemberId, given: &[Tag], now: DateTime<Utc>) -> Result<Option<Event>, Rule> {
        let mut tags = self.details.tags.clone();
        for tag in given {
            match tags.iter_mut().find(|known| known.key == tag.key) {
                Some(known) => known.value.clone_from(&tag.value),
                None => tags.push(tag.clone()),
            }
        }
        let mut found = repeated(given);
        if tags.len() > MOST {
            let text = format!(
                "are too many: the record would have {}, and {MOST} are possible",
                tags.len()
            );
            let root = FieldPath::root();
            found.push(Violation::new(
                &root.field("tags"),
                ViolationCode::TooManyValues,
                text,
            ));
        }
        none(found)?;
        Ok(self.retag(by, tags, now))
    }

    /// Removes tags by their keys. `None` when the record has none of them.
    pub fn untag(&mut self, by: &MemberId, keys: &[String], now: DateTime<Utc>) -> Option<Event> {
        let mut tags = self.details.tags.clone();
        tags.retain(|tag| !keys.contains(&tag.key));
        self.retag(by, tags, now)
    }

    fn retag(&mut self, by: &MemberId, tags: Vec<Tag>, now: DateTime<Utc>) -> Option<Event> {
        if self.details.tags == tags {
            return None;
        }
        self.details.tags = tags;
        self.step(Some(by), now);
        Some(Event::Tagged)
    }
}

/// Keys that are there twice.
pub(super) fn repeated(tags: &[Tag]) -> Vec<Violation> {
    let is_repeated =
        |(index, tag): &(usize, &Tag)| tags.iter().take(*index).any(|earlier| earlier.key == tag.key);
    let root = FieldPath::root();
    tags.iter()
        .enumerate()
        .filter(is_repeated)
        .map(|(index, _)| {
            let field = format!("tags[{index}].key");
            Violation::new(&root.field(&field), ViolationCode::InvalidValue, "is there twice")
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
    fn opp_009_tags_change_in_every_status_and_nothing_else_does() {
        for status in ReviewStatus::ALL.iter().copied() {
            let before = in_status(status, InvolvementType::CoSell);
            let mut record = before.clone();
            let given = [tag("region", "north"), tag("team", "")];
            let event = record.tag(&member("creator"), &given, now());
            assert_eq!(event, Ok(Some(Event::Tagged)), "{status:?}");
            assert_eq!(record.details().tags, given);
            assert_eq!(record.revision(), before.revision() + 1);
            assert_eq!(
                record.tag(&member("creator"), &given, now()),
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
    fn opp_009_two_hundred_tags_each_key_once() {
        let mut record = draft(minimal());
        let all: Vec<_> = (0..MOST).map(|number| tag(&number.to_string(), "")).collect();
        record.tag(&member("creator"), &all, now()).expect("tags");
        let before = record.clone();
        let code = |refused: Result<Option<Event>, Rule>| match refused {
            Err(Rule::Invalid(found)) => found.into_iter().map(|found| (found.field, found.code)).collect(),
            other => panic!("{other:?}"),
        };
        let found: Vec<_> = code(record.tag(&member("creator"), &[tag("one more", "")], now()));
        assert_eq!(found, [("tags".to_owned(), ViolationCode::TooManyValues)]);
        let twice = [tag("1", "a"), tag("1", "b")];
        let found: Vec<_> = code(record.tag(&member("creator"), &twice, now()));
        assert_eq!(found, [("tags[1].key".to_owned(), ViolationCode::InvalidValue)]);
        assert_eq!(record, before, "a refused call changes nothing");
    }
}
