//! Bulk jobs: reading import files, processing rows in the background, results (OPP-080 to OPP-087). The RPCs that
//! create and read jobs are in `api/`.

mod create_rows;
mod csv_guard;
mod csv_line;
pub mod import_file;
mod job_events;
mod job_records;
pub mod operation;
pub mod opportunity_json;
pub mod row_reader;
mod table_format;
mod transfer_rows;
mod update_rows;
mod violations;
mod worker;

pub use csv_line::{csv_header, csv_line};
pub use job_events::append_job_finished;
pub use violations::violation_at;
pub use worker::BulkWorker;
