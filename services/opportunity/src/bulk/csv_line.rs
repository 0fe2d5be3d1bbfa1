use cosell_grpc::Failure;
use cosell_types::text_file::BYTE_ORDER_MARK;

/// The first line of a CSV file for spreadsheets, which take the file for UTF-8 only with a byte order mark.
pub fn csv_header<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, Failure> {
    Ok([BYTE_ORDER_MARK, csv_line(names)?.as_slice()].concat())
}

/// One record of a CSV file (RFC 4180), with its line break.
pub fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, Failure> {
    let mut line = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    line.write_record(cells).map_err(Failure::internal)?;
    line.into_inner()
        .map_err(|error| Failure::internal(error.to_string()))
}
