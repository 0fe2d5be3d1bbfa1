//! Names and links of the records that notifications refer to (NOT-005).

/// A record, by its id.
#[expect(missing_docs, reason = "each variant is named after its record")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordRef {
    Opportunity(String),
    Operation(String),
    ReviewCase(String),
    ReferralOffer(String),
    Referral(String),
    Lead(String),
    ConnectionInvitation(String),
    EngagementInvitation(String),
    Channel(String),
    Member(String),
}

impl RecordRef {
    /// The page of the record, relative to the base of links.
    pub fn path(&self) -> String {
        let (collection, _, id) = self.parts();
        // The only character of ids that a URL does not allow.
        format!("/{collection}/{}", id.replace('|', "%7C"))
    }

    /// The record for the last line of a notification, such as `opportunity O42`.
    pub fn label(&self) -> String {
        let (_, noun, id) = self.parts();
        format!("{noun} {id}")
    }

    /// The collection, the noun, and the id. The id of an operation is the part after `operations/`.
    fn parts(&self) -> (&'static str, &'static str, &str) {
        match self {
            RecordRef::Opportunity(id) => ("opportunities", "opportunity", id),
            RecordRef::Operation(id) => ("operations", "operation", id),
            RecordRef::ReviewCase(id) => ("review-cases", "review case", id),
            RecordRef::ReferralOffer(id) => ("referral-offers", "referral offer", id),
            RecordRef::Referral(id) => ("referrals", "referral", id),
            RecordRef::Lead(id) => ("leads", "lead", id),
            RecordRef::ConnectionInvitation(id) => ("connection-invitations", "connection invitation", id),
            RecordRef::EngagementInvitation(id) => ("engagement-invitations", "engagement invitation", id),
            RecordRef::Channel(id) => ("channels", "channel", id),
            RecordRef::Member(id) => ("members", "member", id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_005_record_path_escapes_ids_that_urls_do_not_allow() {
        let member = RecordRef::Member("auth0|ada".to_owned());
        assert_eq!(member.path(), "/members/auth0%7Cada");
        assert_eq!(member.label(), "member auth0|ada");
        let operation = RecordRef::Operation("bulkjob-0000000000000".to_owned());
        assert_eq!(operation.path(), "/operations/bulkjob-0000000000000");
    }
}
