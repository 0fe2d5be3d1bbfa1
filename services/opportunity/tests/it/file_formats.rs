//! Import files as spreadsheets and people write them: what is accepted, and what is refused with one clear sentence
//! (OPP-080, OPP-084, OPP-086).

use cosell_opportunity::Opportunities;
use cosell_proto::cosell::opportunity::v1 as pb;
use cosell_testkit::harness::{App, refused};
use tonic::Code;

use crate::bulk::{
    HEADER, csv_file, csv_row, download_result, export, import_options, run_import, upload, wait_for_result,
};
use crate::reviewer::{create_approved, start_with_review};
use crate::support::{count, get, record, start, user};

/// The only violation of a file that is refused as a whole.
async fn refuse_file(app: &App, mode: pb::ImportMode, content: impl AsRef<[u8]>) -> String {
    let answer = upload(app, &user(), import_options(mode), content).await;
    let refusal = refused(answer, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(refusal.paths(), ["content"]);
    refusal.fields[0].2.clone()
}

fn rows(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| csv_row(number, "20457")).collect()
}

fn json_line(company: &str, need: &str) -> String {
    format!(
        r#"{{"primaryNeedsFromAws": ["{need}"], "customer": {{"account": {{"companyName": "{company}", "industry":
        "Retail", "websiteUrl": "www.alder.example", "address": {{"countryCode": "DE", "postalCode": "20457"}}}}}},
        "project": {{"title": "Data lake", "customerBusinessProblem": "Orders are typed in twice.",
        "expectedCustomerSpend": [{{"amount": {{"currencyCode": "USD", "units": "100"}}, "frequency":
        "PAYMENT_FREQUENCY_MONTHLY", "targetCompany": "AWS"}}]}}, "lifeCycle": {{"targetCloseDate":
        {{"year": 2026, "month": 9, "day": 30}}}}}}"#
    )
    .replace('\n', " ")
}

async fn import_lines(app: &App, mode: pb::ImportMode, content: impl AsRef<[u8]>) -> pb::BulkResult {
    let options = pb::ImportOptions {
        format: pb::FileFormat::JsonLines.into(),
        ..import_options(mode)
    };
    let job = upload(app, &user(), options, content)
        .await
        .expect("a job")
        .into_inner();
    wait_for_result(app, &user(), &job.name).await
}

#[tokio::test]
async fn opp_080_tables_of_spreadsheets_are_read_as_they_are_written() {
    let app = start().await;
    let content = csv_file(&rows(0..1));
    let separated =
        |separator: &str, number: usize| csv_file(&rows(number..number + 1)).replace(',', separator);
    for (name, content) in [
        ("byte order mark", format!("\u{feff}{content}")),
        ("semicolons", separated(";", 1)),
        ("tabs", separated("\t", 2)),
        (
            "a line with the separator",
            format!("sep=;\r\n{}", separated(";", 3)),
        ),
        (
            "its own byte order mark before it",
            format!("\u{feff}sep=;\n{}", separated(";", 4)),
        ),
        (
            "line breaks of Windows",
            csv_file(&rows(5..6)).replace('\n', "\r\n"),
        ),
        (
            "blank cells left out at the end",
            format!("{HEADER},My notes,Next step\n{}\n", csv_row(6, "20457")),
        ),
    ] {
        let (_, result) = run_import(&app, pb::ImportMode::Create, &content).await;
        assert_eq!((result.created, result.failed), (1, 0), "{name}: {result:?}");
    }
    let lines = format!(
        "\u{feff}{}\n",
        json_line("Ostwind", "PRIMARY_NEED_FROM_AWS_DEAL_SUPPORT")
    );
    let result = import_lines(&app, pb::ImportMode::Create, lines).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_file_that_cannot_be_read_is_refused_with_one_sentence() {
    let app = start().await;
    let content = csv_file(&rows(0..3));
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(content.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let without_mark = [u16::to_le_bytes, u16::to_be_bytes]
        .map(|bytes| content.encode_utf16().flat_map(bytes).collect::<Vec<_>>());
    for file in without_mark {
        let text = refuse_file(&app, pb::ImportMode::Create, file).await;
        assert!(text.contains("UTF-16"), "{text}");
    }
    let mut cp1252 = content.replace("Company 1", "Caf#").into_bytes();
    let at = cp1252.iter().position(|byte| *byte == b'#').expect("a byte");
    cp1252[at] = 0xe9;
    let open_quote = format!(
        "{HEADER},Next step\n{},\"Call\n{},Call\n",
        csv_row(1, "20457"),
        csv_row(2, "20457")
    );
    let twice = format!("{HEADER},Use case\n");
    let wide = format!("{HEADER}{}\n", ",x".repeat(300));
    for (file, text) in [
        (utf16, "UTF-16"),
        (b"PK\x03\x04 a workbook".to_vec(), "workbook"),
        (cp1252, "Line 3 is no UTF-8 text"),
        (
            format!("Our pipeline\n\n{content}").into_bytes(),
            "line 3. Remove",
        ),
        (
            format!("Our pipeline\n\n{content}")
                .replace('\n', "\r")
                .into_bytes(),
            "line 3. Remove",
        ),
        (open_quote.into_bytes(), "a quote in line 2."),
        (twice.into_bytes(), "`Use case` twice"),
        (wide.into_bytes(), "more than 256 columns in line 1"),
        (vec![b','; 3_000_000], "more than 256 columns"),
    ] {
        let text_of_refusal = refuse_file(&app, pb::ImportMode::Create, file).await;
        assert!(text_of_refusal.contains(text), "{text}: {text_of_refusal}");
    }
    let text_of_refusal = refuse_file(
        &app,
        pb::ImportMode::Update,
        "Opportunity id,opportunity ID,Next step\nO1,O2,x\n",
    )
    .await;
    assert!(text_of_refusal.contains("twice"), "{text_of_refusal}");
    let jobs = "SELECT count(*) FROM bulk_job";
    assert_eq!(count(&app, jobs).await, 0);
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_null_character_in_an_unknown_heading_is_left_out() {
    let app = start().await;
    let content = format!("{HEADER},My\0 notes\n{},no\0te\n", csv_row(1, "20457"));
    let (name, result) = run_import(&app, pb::ImportMode::Create, &content).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    assert!(download_result(&app, &name, false).await.contains("My notes"));
    app.finish::<Opportunities>().await;
}

/// What is unreadable is not taken for what is not stated: the update would be lost.
#[tokio::test]
async fn opp_086_unreadable_revision_is_refused_and_that_of_a_spreadsheet_counts() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, record("Alder")).await;
    let revision = get(&app, &user(), &id).await.revision;
    let file =
        |revision: &str, step: &str| format!("Opportunity id,Revision,Next step\n{id},{revision},{step}\n");
    for unreadable in ["abc", "-3", "0", "3.5", "1e3", "99999999999999999999"] {
        let (_, result) = run_import(&app, pb::ImportMode::Update, &file(unreadable, "Call")).await;
        assert_eq!(
            (result.updated, result.failed),
            (0, 1),
            "{unreadable}: {result:?}"
        );
        assert_eq!(result.failures[0].code, "INVALID_STRING_FORMAT", "{result:?}");
    }
    let stale = format!("{}.0", revision + 1);
    let (_, result) = run_import(&app, pb::ImportMode::Update, &file(&stale, "Call")).await;
    assert_eq!(result.failures[0].code, "ETAG_MISMATCH", "{result:?}");
    let quoted = format!("\"\"\"{revision}\"\"\"");
    let (_, result) = run_import(&app, pb::ImportMode::Update, &file(&quoted, "Call")).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_084_violation_names_the_column_that_it_came_from() {
    let app = start().await;
    let header = format!(
        "{HEADER},Customer phone,Customer e-mail,Primary sales contact phone,Primary sales contact e-mail"
    );
    let row = format!("{},493012345678,nobody at example,12-34,x@", csv_row(1, "20457"));
    let (_, result) = run_import(&app, pb::ImportMode::Create, &format!("{header}\n{row}\n")).await;
    let described = &result.failures[0].description;
    for column in [
        "Customer e-mail:",
        "Primary sales contact phone:",
        "Primary sales contact e-mail:",
    ] {
        assert!(described.contains(column), "{column} {described}");
    }
    assert!(!described.contains("Customer phone:"), "{described}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_json_line_with_an_unknown_enum_value_reports_just_that() {
    let app = start().await;
    let line = json_line("Ostwind", "TECHNICAL_HELP");
    let result = import_lines(&app, pb::ImportMode::Create, line).await;
    let failures: Vec<_> = result
        .failures
        .iter()
        .map(|failure| (failure.code.as_str(), failure.description.as_str()))
        .collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    let (code, text) = failures[0];
    assert_eq!(code, "INVALID_ENUM_VALUE");
    assert!(
        text.starts_with("primary_needs_from_aws[0]: Must be one of PRIMARY_NEED_FROM_AWS_"),
        "{text}"
    );
    app.finish::<Opportunities>().await;
}

/// The result goes back to a spreadsheet, which would evaluate what another person wrote.
#[tokio::test]
async fn opp_084_result_file_guards_formulas_and_can_be_imported_again() {
    let app = start().await;
    let row = csv_row(1, "bad").replace("Project 1", "=HYPERLINK(1)");
    let content = format!("{HEADER},＝Notes\n{row},@SUM(1)\n");
    let (name, result) = run_import(&app, pb::ImportMode::CreateAndSubmit, &content).await;
    assert_eq!(result.failed, 1, "{result:?}");
    let again = download_result(&app, &name, false).await;
    for guarded in ["'=HYPERLINK(1)", "'@SUM(1)", "'＝Notes"] {
        assert!(again.contains(guarded), "{guarded}: {again}");
    }
    let corrected = again.replace(",bad,", ",20457,");
    let (_, result) = run_import(&app, pb::ImportMode::CreateAndSubmit, &corrected).await;
    assert_eq!(
        (result.created + result.submitted, result.failed),
        (1, 0),
        "{result:?}"
    );
    app.finish::<Opportunities>().await;
}

/// A spreadsheet rewrites a file: another separator, its own line breaks, no blank cells at the end of a row.
#[tokio::test]
async fn opp_086_export_saved_by_a_spreadsheet_changes_nothing() {
    let (app, peer) = start_with_review().await;
    let mut input = record("Nordwind");
    input.national_security = Some(false);
    let project = input.project.as_mut().expect("a project");
    project.customer_business_problem = "Stock levels are wrong.\r\nOrders are late.\nCosts grow.".to_owned();
    let id = create_approved(&app, &peer, input).await;
    let before = get(&app, &user(), &id).await;
    let table = export(&app, &user(), pb::FileFormat::Csv).await;
    let saved: Vec<_> = table
        .lines()
        .map(|line| line.replace(',', ";").trim_end_matches(';').to_owned())
        .collect();
    for line_break in ["\r\n", "\n"] {
        let (_, result) = run_import(&app, pb::ImportMode::Update, &saved.join(line_break)).await;
        assert_eq!(
            (result.unchanged, result.failed),
            (1, 0),
            "{line_break:?}: {result:?}"
        );
        assert_eq!(get(&app, &user(), &id).await, before);
    }
    app.finish::<Opportunities>().await;
}

/// A rule that is newer than the record concerns what a file changes, and nothing else.
#[tokio::test]
async fn opp_086_stored_value_that_is_invalid_today_is_no_violation_of_a_row() {
    let (app, peer) = start_with_review().await;
    let mut input = record("Nordwind");
    input.life_cycle.as_mut().expect("a life cycle").next_steps = "Call the customer".to_owned();
    create_approved(&app, &peer, input).await;
    let mut admin = app.database.admin::<Opportunities>().await;
    let stored = sqlx::query(
        "UPDATE opportunity SET record = jsonb_set(record, '{details,project,title}', '\"A\\u0007title\"')",
    );
    stored
        .execute(&mut admin)
        .await
        .expect("a title of an earlier release");
    let table = export(&app, &user(), pb::FileFormat::Csv).await;
    let changed = table.replace("Call the customer", "Meet the customer");
    let (_, result) = run_import(&app, pb::ImportMode::Update, &changed).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    let changed = table.replace("A\u{7}title", "Another\u{7}title");
    let (_, result) = run_import(&app, pb::ImportMode::Update, &changed).await;
    assert_eq!((result.updated, result.failed), (0, 1), "{result:?}");
    app.finish::<Opportunities>().await;
}

/// The result of an import goes through a spreadsheet, and is imported again.
#[tokio::test]
async fn opp_084_row_with_other_line_breaks_creates_nothing_again() {
    let app = start().await;
    let row = |line_break: &str| {
        let row = csv_row(1, "20457");
        format!("{HEADER},Next step\n{row},\"Call{line_break}Meet\"\n")
    };
    let (_, result) = run_import(&app, pb::ImportMode::Create, &row("\r\n")).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    for line_break in ["\n", "\r"] {
        let (_, result) = run_import(&app, pb::ImportMode::Create, &row(line_break)).await;
        assert_eq!((result.created, result.unchanged), (0, 1), "{result:?}");
    }
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_080_null_characters_of_json_lines_are_left_out() {
    let app = start().await;
    let line = json_line("Ost\\u0000wind", "PRIMARY_NEED_FROM_AWS_DEAL_SUPPORT");
    let result = import_lines(&app, pb::ImportMode::Create, &line).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    let unknown = line.replacen('{', r#"{"my\u0000field": "x\u0000", "#, 1);
    let result = import_lines(&app, pb::ImportMode::Create, unknown).await;
    assert_eq!(result.failures[0].code, "INVALID_STRING_FORMAT", "{result:?}");
    app.finish::<Opportunities>().await;
}

/// A row cannot fill the result with its violations.
#[tokio::test]
async fn opp_080_violations_of_a_row_are_limited() {
    let app = start().await;
    let invalid = r#"{"email": "x", "phone": "x", "firstName": "\u0007", "lastName": "\u0007", "businessTitle": "\u0007"}"#;
    let contacts = [invalid; 10].join(",");
    let line = json_line("Ostwind", "PRIMARY_NEED_FROM_AWS_DEAL_SUPPORT")
        .replacen(
            r#""customer": {"#,
            &format!(r#""customer": {{"contacts": [{contacts}], "#),
            1,
        )
        .replacen('{', &format!(r#"{{"opportunityTeam": [{invalid}], "#), 1);
    let result = import_lines(&app, pb::ImportMode::Create, line).await;
    let described = &result.failures[0].description;
    let listed = described.matches("contacts[").count() + described.matches("opportunity_team[").count();
    assert_eq!(listed, 50, "{described}");
    assert!(described.ends_with("Has further violations, which are not listed."));
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_084_unreadable_amount_is_one_violation() {
    let app = start().await;
    let row = csv_row(1, "20457").replace("1850.50", "abc");
    let (_, result) = run_import(&app, pb::ImportMode::CreateAndSubmit, &csv_file(&[row])).await;
    assert_eq!(result.failures.len(), 1, "{result:?}");
    assert!(result.failures[0].description.starts_with("Estimated AWS MRR:"));
    app.finish::<Opportunities>().await;
}

/// A file of new opportunities may have a column of this name for a purpose of its own.
#[tokio::test]
async fn opp_080_revision_of_new_opportunities_is_ignored() {
    let app = start().await;
    let content = format!("{HEADER},Revision\n{},Rev A\n", csv_row(1, "20457"));
    let (_, result) = run_import(&app, pb::ImportMode::Create, &content).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_084_exported_phone_number_is_unchanged_by_its_import() {
    let (app, peer) = start_with_review().await;
    let mut input = record("Nordwind");
    input.customer.as_mut().expect("a customer").contacts = vec![pb::Contact {
        phone: "+493012345678".to_owned(),
        ..Default::default()
    }];
    create_approved(&app, &peer, input).await;
    let table = export(&app, &user(), pb::FileFormat::Csv).await;
    assert!(table.contains("'+493012345678"), "{table}");
    let (_, result) = run_import(&app, pb::ImportMode::Update, &table).await;
    assert_eq!((result.unchanged, result.failed), (1, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}

/// The work for a row is bounded, and one violation says that a list is too long.
#[tokio::test]
async fn opp_080_long_list_is_one_violation() {
    let app = start().await;
    let table = format!(
        "{HEADER},AWS products\n{},{}\n",
        csv_row(1, "20457"),
        "a;".repeat(120_000)
    );
    let (_, result) = run_import(&app, pb::ImportMode::Create, &table).await;
    let described = &result.failures[0].description;
    assert_eq!(
        (result.failures.len(), described.matches("AWS products:").count()),
        (1, 1),
        "{described}"
    );
    let products = vec![r#""a""#; 60_000].join(",");
    let line = json_line("Ostwind", "PRIMARY_NEED_FROM_AWS_DEAL_SUPPORT").replacen(
        '{',
        &format!(r#"{{"relatedEntityIdentifiers": {{"awsProducts": [{products}]}}, "#),
        1,
    );
    let result = import_lines(&app, pb::ImportMode::Create, line).await;
    let described = &result.failures[0].description;
    assert!(
        described.len() < 300 && described.contains("aws_products: "),
        "{described}"
    );
    app.finish::<Opportunities>().await;
}

/// The last of two values would win without a word, here or in the result that is corrected and imported again.
#[tokio::test]
async fn opp_080_json_line_with_a_name_twice_is_refused() {
    let app = start().await;
    let line = json_line("Ostwind", "PRIMARY_NEED_FROM_AWS_DEAL_SUPPORT");
    for other in [r#""customer": {}"#, r#""primary_needs_from_aws": []"#] {
        let line = line.replacen('{', &format!("{{{other}, "), 1);
        let result = import_lines(&app, pb::ImportMode::Create, line).await;
        let failure = &result.failures[0];
        assert_eq!(failure.code, "INVALID_STRING_FORMAT", "{result:?}");
        assert!(
            failure.description.contains("Must have each name once: the name"),
            "{result:?}"
        );
    }
    let options = pb::ImportOptions {
        format: pb::FileFormat::JsonLines.into(),
        ..import_options(pb::ImportMode::Create)
    };
    let twice = line.replacen('{', r#"{"customer": {}, "#, 1);
    let job = upload(&app, &user(), options, &twice)
        .await
        .expect("a job")
        .into_inner();
    wait_for_result(&app, &user(), &job.name).await;
    let again = download_result(&app, &job.name, false).await;
    let result = import_lines(&app, pb::ImportMode::Create, &again).await;
    assert_eq!((result.created, result.failed), (0, 1), "{again}: {result:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_stale_or_unreadable_revision_of_a_json_line_is_refused() {
    let (app, peer) = start_with_review().await;
    let id = create_approved(&app, &peer, record("Alder")).await;
    let revision = get(&app, &user(), &id).await.revision;
    let line = |lock: &str, step: &str| {
        format!(r#"{{"opportunityId": "{id}", {lock} "lifeCycle": {{"nextSteps": "{step}"}}}}"#)
    };
    let stale = revision - 1;
    for (lock, code) in [
        (r#""revision": 0,"#.to_owned(), "INVALID_VALUE"),
        (r#""revision": "0","#.to_owned(), "INVALID_VALUE"),
        (r#""revision": -1,"#.to_owned(), "INVALID_VALUE"),
        (r#""etag": "x","#.to_owned(), "INVALID_VALUE"),
        (
            format!(r#""revision": {revision}, "etag": "\"{stale}\"","#),
            "INVALID_VALUE",
        ),
        (format!(r#""etag": "\"{stale}\"","#), "ETAG_MISMATCH"),
    ] {
        let result = import_lines(&app, pb::ImportMode::Update, line(&lock, "Call")).await;
        assert_eq!((result.updated, result.failed), (0, 1), "{lock}: {result:?}");
        assert_eq!(result.failures[0].code, code, "{lock}: {result:?}");
    }
    let lock = format!(r#""revision": {revision}, "etag": "\"{revision}\"","#);
    let result = import_lines(&app, pb::ImportMode::Update, line(&lock, "Call")).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    let result = import_lines(&app, pb::ImportMode::Update, line(r#""revision": null,"#, "Meet")).await;
    assert_eq!((result.updated, result.failed), (1, 0), "{result:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_086_row_without_an_id_says_that_it_is_required() {
    let (app, _) = start_with_review().await;
    let (_, result) = run_import(&app, pb::ImportMode::Update, "Opportunity id,Next step\n,Call\n").await;
    assert_eq!(result.failures[0].code, "REQUIRED_FIELD_MISSING", "{result:?}");
    app.finish::<Opportunities>().await;
}

#[tokio::test]
async fn opp_084_row_with_a_cell_too_many_is_no_repetition() {
    let app = start().await;
    let row = csv_row(1, "20457");
    let (_, result) = run_import(&app, pb::ImportMode::Create, &format!("{HEADER}\n{row}\n")).await;
    assert_eq!((result.created, result.failed), (1, 0), "{result:?}");
    let surplus = format!("{HEADER}\n{row},x\n");
    let (_, result) = run_import(&app, pb::ImportMode::Create, &surplus).await;
    assert_eq!((result.unchanged, result.failed), (0, 1), "{result:?}");
    app.finish::<Opportunities>().await;
}
