//! Files of opportunities.

use std::fmt::Write as _;

/// A table of so many opportunities, of which every tenth lacks its postal code, unless all are right.
pub fn table(rows: usize, is_right: bool) -> String {
    let mut text = "Customer company name,Industry vertical,Country,Postal code,Customer website,Partner primary need from AWS,\
        Partner project title,Customer business problem,Solution offered,Other solution offered,Use case,Estimated AWS MRR,\
        Target close date,Opportunity type,Delivery model,Is opportunity from marketing activity?,Sales activities,\
        Partner CRM unique identifier\n"
        .to_owned();
    for number in 1..=rows {
        let postal_code = if is_right || number % 10 != 0 { "20457" } else { "" };
        writeln!(
            text,
            "Company {number},Retail,Germany,{postal_code},www.company-{number}.example,Co-Sell - Deal Support,\
             Project {number},Orders are typed in twice and nobody knows why.,Other,Landing zone,Database,1850.50,\
             2031-06-30,Net New Business,Professional Services,No,SOW Signed,CRM-{number}"
        )
        .expect("text");
    }
    text
}
