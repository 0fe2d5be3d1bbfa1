//! Tests of all services together, through their public API.

mod access;
mod access_matrix;
mod channel_links;
mod clients;
mod commands;
mod cross_account_policies;
mod directory;
mod documented_calls;
mod edge;
mod edge_server;
mod isolation;
mod lead_conversion;
mod limits;
mod multi_partner;
mod opportunity_visibility;
mod policies;
mod python;
mod readiness;
mod review_cycle;
mod row_level_security;
mod telemetry;
