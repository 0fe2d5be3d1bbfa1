use std::collections::HashMap;

use cosell_proto::cosell::r#type::v1::{InvalidField, InvalidFields};
use prost::{Message as _, Name as _};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use super::reasons;

/// The decoded error of a refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The gRPC code.
    pub code: Code,
    /// The reason, such as `ETAG_MISMATCH`.
    pub reason: String,
    /// The reason's domain, such as `cosell`.
    pub domain: String,
    /// The metadata of the reason.
    pub metadata: HashMap<String, String>,
    /// The human-readable message.
    pub message: String,
    /// The field violations: path, code and description.
    pub fields: Vec<(String, String, String)>,
    /// The machine-readable field violations.
    pub details: Vec<InvalidField>,
}

impl From<&Status> for Refusal {
    /// Decodes a status. Fails if it differs from the documented example of its reason.
    fn from(status: &Status) -> Self {
        let info = status.get_details_error_info();
        let (reason, domain, metadata) = info
            .map(|info| (info.reason, info.domain, info.metadata))
            .unwrap_or_default();
        let fields = status
            .get_details_bad_request()
            .map(|details| details.field_violations)
            .unwrap_or_default();
        let message = tonic_types::pb::Status::decode(status.details()).unwrap_or_default();
        let details = message
            .details
            .iter()
            .find(|any| any.type_url == InvalidFields::type_url());
        let details =
            details.map(|any| InvalidFields::decode(any.value.as_slice()).expect("an InvalidFields message"));
        let refusal = Self {
            code: status.code(),
            reason,
            domain,
            metadata,
            message: status.message().to_owned(),
            fields: fields
                .into_iter()
                .map(|field| (field.field, field.reason, field.description))
                .collect(),
            details: details.unwrap_or_default().fields,
        };
        reasons::check(&refusal);
        refusal
    }
}

impl Refusal {
    /// The paths of the field violations.
    pub fn paths(&self) -> Vec<&str> {
        self.fields.iter().map(|(path, _, _)| path.as_str()).collect()
    }
}

/// Asserts that a call was refused with this code and reason, and returns the refusal.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<Response<T>, Status>, code: Code, reason: &str) -> Refusal {
    match result {
        Ok(response) => panic!("expected {code:?} {reason}, but the call succeeded: {response:?}"),
        Err(status) => {
            let refusal = Refusal::from(&status);
            assert!(
                refusal.code == code && refusal.reason == reason,
                "expected {code:?} {reason}, got {refusal:#?}"
            );
            refusal
        }
    }
}
