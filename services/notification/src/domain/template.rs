//! Renders the texts of notifications. Each kind has a file in `templates/`, whose first line is the subject template;
//! `project.txt` and `footer.txt` are parts of the others. Facts can be empty: a template names them in lines and
//! phrases of their own, which are left out then (NOT-005).

use cosell_types::{ClosedList as _, controls_display};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind, Output, State, UndefinedBehavior, context};

use super::TemplateFacts;
use super::field_labels::capitalized;
use super::values::NotificationKind;

/// The rendered text of a notification and its e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationText {
    /// A single line.
    pub subject: String,
    /// Plain text with line breaks.
    pub body: String,
}

/// The templates of all kinds.
#[derive(Debug)]
pub struct Templates {
    /// Apart from the bodies: facts with line breaks must not move the end of a subject.
    subjects: Environment<'static>,
    bodies: Environment<'static>,
    link_base: String,
}

impl Templates {
    /// Parses the templates, which are compiled into the program. With an empty base, texts do not link to their records.
    pub fn new(link_base: &str) -> Result<Self, minijinja::Error> {
        let (mut subjects, mut bodies) = (environment()?, environment()?);
        bodies.add_template("project", include_str!("../../templates/project.txt"))?;
        bodies.add_template("footer", include_str!("../../templates/footer.txt"))?;
        for (name, text) in [
            (
                "OPPORTUNITY_SUBMITTED",
                include_str!("../../templates/opportunity_submitted.txt"),
            ),
            (
                "ACTION_REQUIRED",
                include_str!("../../templates/action_required.txt"),
            ),
            (
                "OPPORTUNITY_APPROVED",
                include_str!("../../templates/opportunity_approved.txt"),
            ),
            (
                "OPPORTUNITY_REJECTED",
                include_str!("../../templates/opportunity_rejected.txt"),
            ),
            (
                "REVIEW_REQUESTED",
                include_str!("../../templates/review_requested.txt"),
            ),
            (
                "CONNECTION_INVITATION_CREATED",
                include_str!("../../templates/connection_invitation_created.txt"),
            ),
            (
                "CONNECTION_INVITATION_ACCEPTED",
                include_str!("../../templates/connection_invitation_accepted.txt"),
            ),
            (
                "CONNECTION_INVITATION_REJECTED",
                include_str!("../../templates/connection_invitation_rejected.txt"),
            ),
            ("ROLES_CHANGED", include_str!("../../templates/roles_changed.txt")),
            (
                "MEMBER_DEACTIVATED",
                include_str!("../../templates/member_deactivated.txt"),
            ),
            (
                "MEMBER_INVITED",
                include_str!("../../templates/member_invited.txt"),
            ),
            (
                "OWNERSHIP_CHANGED",
                include_str!("../../templates/ownership_changed.txt"),
            ),
            (
                "OPPORTUNITY_REOPENED",
                include_str!("../../templates/opportunity_reopened.txt"),
            ),
            (
                "BULK_JOB_FINISHED",
                include_str!("../../templates/bulk_job_finished.txt"),
            ),
            (
                "REFERRAL_OFFER_CREATED",
                include_str!("../../templates/referral_offer_created.txt"),
            ),
            (
                "REFERRAL_OFFER_EXPIRES_SOON",
                include_str!("../../templates/referral_offer_expires_soon.txt"),
            ),
            (
                "REFERRAL_ANSWERED",
                include_str!("../../templates/referral_answered.txt"),
            ),
            ("LEAD_ASSIGNED", include_str!("../../templates/lead_assigned.txt")),
            (
                "ENGAGEMENT_INVITED",
                include_str!("../../templates/engagement_invited.txt"),
            ),
            (
                "ENGAGEMENT_ANSWERED",
                include_str!("../../templates/engagement_answered.txt"),
            ),
            (
                "CHANNEL_REQUESTED",
                include_str!("../../templates/channel_requested.txt"),
            ),
            (
                "CHANNEL_DECIDED",
                include_str!("../../templates/channel_decided.txt"),
            ),
            (
                "CHANNEL_INVITED",
                include_str!("../../templates/channel_invited.txt"),
            ),
            (
                "OPPORTUNITY_CLOSED_BY_AWS",
                include_str!("../../templates/opportunity_closed_by_aws.txt"),
            ),
        ] {
            let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
            subjects.add_template(name, subject)?;
            bodies.add_template(name, body)?;
        }
        Ok(Self {
            subjects,
            bodies,
            link_base: link_base.to_owned(),
        })
    }

    /// Renders the text of a kind.
    pub fn render(
        &self,
        kind: NotificationKind,
        facts: &TemplateFacts,
    ) -> Result<NotificationText, minijinja::Error> {
        let link = match facts.records.first() {
            Some(record) if !self.link_base.is_empty() => self.link_base.clone() + &record.path(),
            _ => String::new(),
        };
        let labels: Vec<_> = facts.records.iter().map(|record| record.label()).collect();
        let variables = context! {
            name => facts.project.name(),
            link => link,
            records => capitalized(&labels.join(", ")),
            ..Value::from(Serde(facts))
        };
        let subject = self.subjects.get_template(kind.name())?.render(&variables)?;
        let body = self.bodies.get_template(kind.name())?.render(&variables)?;
        Ok(NotificationText {
            subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
            body: without_repeated_blank_lines(&body),
        })
    }
}

/// An environment without templates.
fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    // An undefined variable is a defect of the template.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A line with nothing but a tag leaves no line.
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()?;
    environment.set_syntax(syntax);
    environment.add_filter("prefixed", prefixed);
    environment.add_filter("quoted", quoted);
    environment.set_formatter(write_line);
    Ok(environment)
}

/// Writes a value as a part of one line, so that the text of a person cannot look like a line of the notification. Only
/// what the filter `quoted` returns has lines.
fn write_line(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    let text = value.to_string();
    let written = match value.is_safe() {
        true => out.write_str(&text),
        false => out.write_str(&as_line(&text)),
    };
    written.map_err(|error| minijinja::Error::new(ErrorKind::WriteFailure, error.to_string()))
}

/// The text in one line, without characters that control how it is shown. Texts that earlier releases stored may have
/// them.
fn as_line(text: &str) -> String {
    let spaced = text
        .chars()
        .map(|character| if character.is_whitespace() { ' ' } else { character });
    spaced.filter(|character| !controls_display(*character)).collect()
}

/// The filter `quoted`: the lines of a text that a person wrote, each marked as such.
fn quoted(text: &str) -> Value {
    let lines = text
        .trim()
        .lines()
        .map(|line| format!("> {}", as_line(line)).trim_end().to_owned());
    Value::from_safe_string(lines.collect::<Vec<_>>().join("\n"))
}

/// The filter `prefixed`: the text after a prefix; empty if the text is empty.
fn prefixed(text: &str, prefix: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{prefix}{text}")
    }
}

/// The text with one blank line where paragraphs that are left out leave several.
fn without_repeated_blank_lines(text: &str) -> String {
    let mut kept = String::new();
    for line in text.trim().lines() {
        let is_blank = line.trim().is_empty();
        if !(is_blank && kept.ends_with("\n\n")) {
            kept += if is_blank { "" } else { line };
            kept.push('\n');
        }
    }
    kept
}
