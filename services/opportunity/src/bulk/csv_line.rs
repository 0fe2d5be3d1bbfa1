use cosell_grpc::Failure;

/// One record of a CSV file (RFC 4180), with its line break.
pub fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, Failure> {
    let mut line = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    line.write_record(cells).map_err(Failure::internal)?;
    line.into_inner()
        .map_err(|error| Failure::internal(error.to_string()))
}
