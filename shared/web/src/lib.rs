//! What services share that serve pages to browsers behind signed links: a listener with limits, a page with security
//! headers, the file of the signing key, and the public base URL of the links. The links, their tokens, and what they
//! do are of the services.

mod base_url;
mod key_file;
mod listener;
mod page;

pub use base_url::parse_base_url;
pub use key_file::KeyFile;
pub use listener::{ListenerLimits, bind, serve};
pub use page::{Button, Page};
