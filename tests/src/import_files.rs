//! Import files with opportunities.

use std::fmt::Write as _;

/// A CSV file with this many opportunities. Unless all are valid, every tenth lacks its postal code.
pub fn csv(rows: usize, all_valid: bool) -> String {
    let mut text = "Customer company name,Industry vertical,Country,Postal code,Customer website,Partner primary need from AWS,\
        Partner project title,Customer business problem,Solution offered,Other solution offered,Use case,Estimated AWS MRR,\
        Target close date,Opportunity type,Delivery model,Is opportunity from marketing activity?,Sales activities,\
        Partner CRM unique identifier\n"
        .to_owned();
    for number in 1..=rows {
        let postal_code = if all_valid || number % 10 != 0 {
            "20457"
        } else {
            ""
        };
        writeln!(
            text,
            "Company {number},Retail,Germany,{postal_code},www.company-{number}.example,Co-Sell - Deal Support,\
             Project {number},Orders are typed in twice and nobody knows why.,Other,Landing zone,Database,1850.50,\
             2031-06-30,Net New Business,Professional Services,No,SOW Signed,CRM-{number}"
        )
        .expect("writing to a string");
    }
    text
}
