//! The fields that the update mask of a request selects.

use cosell_grpc::mask::{Selection, select};
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_types::Violation;
use prost_types::FieldMask;

use super::details;
use crate::domain::{Details, Field};

/// The opportunity of a request, with the fields that its update mask selects.
pub struct SelectedDetails {
    pub details: Details,
    /// The fields of the mask; without a mask, all fields that differ from an empty opportunity.
    pub fields: Vec<Field>,
    /// Violations of the opportunity and of the mask.
    pub violations: Vec<Violation>,
}

/// Reads the opportunity of a request and its update mask. The violations begin with those in the form of the message.
pub fn selected_details(
    record: Option<&pb::Opportunity>,
    mask: Option<&FieldMask>,
    shape: &[Violation],
) -> SelectedDetails {
    let settable: Vec<_> = Field::ALL.iter().map(|field| field.path()).collect();
    let (details, read) = details(&record.cloned().unwrap_or_default());
    let mut violations = [shape, &read].concat();
    let fields = match select(mask, &settable) {
        Ok(Selection::Fields(paths)) => paths.into_iter().filter_map(Field::from_path).collect(),
        Ok(Selection::SetFields) => {
            let empty = Details::default();
            let all = Field::ALL.iter().copied();
            all.filter(|field| field.differs(&details, &empty)).collect()
        }
        Err(invalid) => {
            violations.extend(invalid);
            Vec::new()
        }
    };
    SelectedDetails {
        details,
        fields,
        violations,
    }
}
