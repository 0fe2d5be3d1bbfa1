//! What the rows of a file say.

use std::collections::BTreeSet;

use cosell_proto::Validate as _;
use cosell_types::{Violation, ViolationCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::json;
use super::violations::wrong;
use crate::api::selection;
use crate::domain::columns::{self, COLUMNS, Column};
use crate::domain::job::Job;
use crate::domain::values::ImportMode;
use crate::domain::{Details, Field, Opportunity, is_government};

/// What the cells of a row are.
pub struct Table {
    pub is_table: bool,
    columns: Vec<Option<&'static Column>>,
    id: Option<usize>,
    revision: Option<usize>,
    is_new: bool,
    must_say_its_need: bool,
}

/// Where the needs stand that decide how far AWS is to be involved.
const NEEDS: &str = "primary_needs_from_aws";
/// Where it stands that a deal is classified.
const NATIONAL_SECURITY: &str = "national_security";

/// What a row says.
pub struct Given {
    pub id: String,
    /// The revision that it was made from; 0 where it does not say.
    pub revision: i64,
    pub details: Details,
    pub selected: Vec<Field>,
    pub wrong: Vec<Violation>,
}

impl Table {
    pub fn of(job: &Job) -> Self {
        let header = &job.plan.header;
        Self {
            is_table: !header.is_empty(),
            columns: header.iter().map(|name| columns::find(name)).collect(),
            id: header.iter().position(|name| columns::is_id(name)),
            revision: header.iter().position(|name| columns::is_revision(name)),
            is_new: job.plan.mode != Some(ImportMode::Update),
            must_say_its_need: job.plan.mode == Some(ImportMode::CreateAndSubmit),
        }
    }

    /// A row of a table says what it says on top of what is there; an object says which fields it is about.
    pub fn read(&self, content: &Value, base: &Details) -> Given {
        match content {
            Value::Array(cells) => self.read_cells(cells, base),
            other => self.read_object(other.as_str().unwrap_or_default()),
        }
    }

    /// What a row would change that is not changed by files (OPP-086).
    pub fn beyond(&self, content: &Value, record: &Opportunity) -> Vec<Violation> {
        let Value::Array(cells) = content else {
            return Vec::new();
        };
        let cells = self.columns.iter().zip(cells);
        let changed = cells.filter_map(|(column, cell)| {
            let column = column.filter(|column| column.field.is_none())?;
            let is_same = cell.as_str().unwrap_or_default().trim() == column.show(record).trim();
            (!is_same).then_some(column)
        });
        let text = "is not changed by files; associate entities, or update the record";
        changed
            .map(|column| wrong(column.path, ViolationCode::ActionNotPermitted, text))
            .collect()
    }

    fn read_cells(&self, cells: &[Value], base: &Details) -> Given {
        let cell = |at: usize| cells.get(at).and_then(Value::as_str).unwrap_or_default();
        let mut given = Given {
            id: self.id.map(cell).unwrap_or_default().trim().to_owned(),
            revision: self
                .revision
                .map(cell)
                .and_then(|cell| cell.trim().parse().ok())
                .unwrap_or_default(),
            details: base.clone(),
            selected: Vec::new(),
            wrong: Vec::new(),
        };
        // In the template's order, wherever they stand: a currency is that of an amount.
        for known in &COLUMNS {
            let at = self
                .columns
                .iter()
                .position(|column| column.is_some_and(|column| column.name == known.name));
            if let Some(at) = at {
                known.read(&mut given.details, cell(at), &mut given.wrong);
                given.selected.extend(known.field);
            }
        }
        let width = self.columns.len();
        if cells.len() < width || cells.iter().skip(width).any(|cell| cell != "") {
            let text = format!(
                "the row has {} cells, and the first line has {width}",
                cells.len()
            );
            given.wrong.push(wrong("", ViolationCode::InvalidValue, text));
        }
        if self.is_new && is_government(&given.details) && !self.says(NATIONAL_SECURITY, cells) {
            let text = "is required in Government: Yes or No";
            given.wrong.push(wrong(
                NATIONAL_SECURITY,
                ViolationCode::RequiredFieldMissing,
                text,
            ));
        }
        if self.must_say_its_need
            && given.details.primary_needs_from_aws.is_empty()
            && !self.says(NEEDS, cells)
        {
            given.wrong.push(need_missing());
        }
        given
    }

    /// Whether the row says something there, be it that there is none.
    fn says(&self, path: &str, cells: &[Value]) -> bool {
        let at = self
            .columns
            .iter()
            .position(|column| column.is_some_and(|column| column.path == path));
        let cell = at.and_then(|at| cells.get(at)).and_then(Value::as_str);
        cell.is_some_and(|cell| !cell.trim().is_empty())
    }

    fn read_object(&self, line: &str) -> Given {
        let nothing = |text: String| Given {
            id: String::new(),
            revision: 0,
            details: Details::default(),
            selected: Vec::new(),
            wrong: vec![wrong("", ViolationCode::InvalidStringFormat, text)],
        };
        let Some(object) = object(line) else {
            return nothing("is no JSON object".to_owned());
        };
        // What is said counts, also that something is empty.
        let all = Field::ALL.iter().copied();
        let selected = all.filter(|field| is_said(&object, field.path())).collect();
        let says_its_need = is_said(&object, NEEDS);
        match json::read(object) {
            Ok(record) => {
                let (details, _, mut wrong) = selection(Some(&record), None);
                wrong.extend(record.violations());
                if self.must_say_its_need && !says_its_need {
                    wrong.push(need_missing());
                }
                Given {
                    id: record.opportunity_id,
                    revision: record.revision,
                    details,
                    selected,
                    wrong,
                }
            }
            Err(text) => nothing(text),
        }
    }

    /// What tells a row from others: what it says, wherever its cells stand and whatever was added to it (OPP-084).
    pub fn hash(&self, content: &Value) -> Vec<u8> {
        let said = match content {
            Value::Array(cells) => {
                let cell = |at: usize| cells.get(at).and_then(Value::as_str).unwrap_or_default().trim();
                let said = self.columns.iter().enumerate().filter_map(|(at, column)| {
                    let column = column.filter(|_| !cell(at).is_empty())?;
                    Some((column.name, cell(at)))
                });
                let said: BTreeSet<_> = said.collect();
                serde_json::to_string(&said).unwrap_or_default()
            }
            other => object(other.as_str().unwrap_or_default())
                .map_or_else(String::new, |object| object.to_string()),
        };
        Sha256::digest(said).to_vec()
    }
}

/// The object of a line, without what an import has added.
fn object(line: &str) -> Option<Value> {
    let mut object: Value = serde_json::from_str(line).ok()?;
    let fields = object.as_object_mut()?;
    if let Some(Value::String(line)) = fields.remove("_line") {
        return self::object(&line);
    }
    fields.remove("_result");
    fields.remove("_details");
    Some(object)
}

/// Whether an object says something at a path, in either spelling of its names.
fn is_said(object: &Value, path: &str) -> bool {
    let mut at = Some(object);
    for name in path.split('.') {
        at = at.and_then(|value| value.get(name).or_else(|| value.get(camel(name))));
    }
    at.is_some()
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (first, rest) = word.split_at(word.len().min(1));
        text + &first.to_uppercase() + rest
    })
}

fn need_missing() -> Violation {
    let text = "is required to submit: a need, or that there is none, in a table as `Do Not Need Support from AWS Sales Rep`";
    wrong(NEEDS, ViolationCode::RequiredFieldMissing, text)
}
