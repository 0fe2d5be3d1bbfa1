//! Access to the parts of a record.

use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::apply_directory_request as request;

/// One message of the stream: an account or a member.
pub type Record = pb::ApplyDirectoryRequest;

/// The account that the record belongs to; not validated, and empty if the record is.
pub fn account_id(record: &Record) -> &str {
    match &record.record {
        Some(request::Record::Account(account)) => &account.account_id,
        Some(request::Record::Member(member)) => &member.account_id,
        None => "",
    }
}

pub fn member_record(record: &Record) -> Option<&pb::MemberRecord> {
    match &record.record {
        Some(request::Record::Member(member)) => Some(member),
        _ => None,
    }
}
