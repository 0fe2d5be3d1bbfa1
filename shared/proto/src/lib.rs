//! Generated code of cosell's public API: messages, client and server stubs, validators of the `buf.validate` rules in
//! `proto/`, the event details, and the descriptors for reflection.
//!
//! `Debug` of a message redacts fields that are marked `(cosell.type.v1.personal)`.

mod detail;
mod validate;

pub use detail::EventDetail;
pub use validate::{Mutation, Validate};

/// The encoded descriptor set of all files under `proto/`, with comments and custom options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[expect(
    missing_docs,
    clippy::all,
    clippy::allow_attributes,
    reason = "generated code; documented in proto/"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

pub use generated::{cosell, google};

mod impls {
    use std::sync::LazyLock;

    use cosell_types::{FieldPath, Violation};
    use prost::{DecodeError, Message as _, Name as _};
    use regex::Regex;

    use crate::EventDetail;
    use crate::validate::{
        EnumNames, Mutation, Redacted, StringRules, Validate, enumeration, integer, items, one_of, pattern,
        required, string,
    };

    include!(concat!(env!("OUT_DIR"), "/impls.rs"));
}
