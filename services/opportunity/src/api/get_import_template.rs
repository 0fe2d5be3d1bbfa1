use cosell_grpc::{Call, Failure};
use cosell_proto::cosell::opportunity::v1 as pb;

use crate::domain::columns::{COLUMNS, VERSION};

pub async fn handle(_: Call<pb::GetImportTemplateRequest>) -> Result<pb::GetImportTemplateResponse, Failure> {
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(COLUMNS.iter().map(|column| column.name))
        .map_err(Failure::internal)?;
    let required = COLUMNS.iter().filter(|column| column.is_required);
    Ok(pb::GetImportTemplateResponse {
        content: file
            .into_inner()
            .map_err(|error| Failure::internal(error.to_string()))?,
        version: VERSION.to_owned(),
        required_columns: required.map(|column| column.name.to_owned()).collect(),
    })
}
