//! The decoders of cosell, each as a function of any bytes: it decodes them and asserts what must hold for every input.
//! Nothing panics, whatever is accepted can be encoded and decoded again, and errors have texts of limited length.
//!
//! The fuzz targets in `tests/fuzz` call these functions with inputs of libFuzzer, and the test of this crate with the
//! files of the corpus. A function reads structured inputs as lines of text, so that the corpus can be read and written
//! manually.

mod callback;
mod event;
mod import_file;
mod key_set;
mod list;
mod mask;
mod money;
mod page_token;
mod postal_code;
mod support;
mod time;
mod token;
mod unsubscribe;

pub use callback::{callback, channel_link};
pub use event::{EVENT_TYPES, event};
pub use import_file::{csv, json_lines};
pub use key_set::key_set;
pub use list::{directory_list, reference_list};
pub use mask::mask;
pub use money::money;
pub use page_token::page_token;
pub use postal_code::postal_code;
pub use time::time;
pub use token::token;
pub use unsubscribe::{unsubscribe_form, unsubscribe_link};

/// A function that decodes any bytes. Panics if a property is violated.
pub type Target = fn(&[u8]);

/// All targets by name: that of the file in `tests/fuzz/fuzz_targets`, and of the folder in `tests/fuzz/corpus`.
pub const TARGETS: [(&str, Target); 16] = [
    ("callback", callback),
    ("channel_link", channel_link),
    ("csv", csv),
    ("directory_list", directory_list),
    ("event", event),
    ("json_lines", json_lines),
    ("key_set", key_set),
    ("mask", mask),
    ("money", money),
    ("page_token", page_token),
    ("postal_code", postal_code),
    ("reference_list", reference_list),
    ("time", time),
    ("token", token),
    ("unsubscribe_form", unsubscribe_form),
    ("unsubscribe_link", unsubscribe_link),
];
