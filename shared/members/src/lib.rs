//! What a service knows of the members of all accounts, so that it can say what a caller may do without asking anybody:
//! a replica of what the directory has, fed by its events (ACC-004). A member that is not in it yet is looked up once.

mod replica;
mod resolver;

pub use replica::{
    CONTEXT, Facts, FromPartner, Standing, account_facts, account_standing, active_member, take_over,
};
pub use resolver::{Members, Terms};
