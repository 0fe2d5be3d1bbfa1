use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use crate::bulk::csv_header;
use crate::domain::columns::{COLUMNS, VERSION};

pub async fn handle(_: Call<pb::GetImportTemplateRequest>) -> Result<pb::GetImportTemplateResponse, Failure> {
    let required = COLUMNS.iter().filter(|column| column.is_required);
    Ok(pb::GetImportTemplateResponse {
        content: csv_header(COLUMNS.iter().map(|column| column.name))?,
        version: VERSION.to_owned(),
        required_columns: required.map(|column| column.name.to_owned()).collect(),
    })
}
