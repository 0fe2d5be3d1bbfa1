use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure, Tag};
use cosell_proto::Validate as _;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_proto::cosell::partner::v1::apply_directory_request as request;
use cosell_store::{Scope, Tx};
use cosell_types::{AccountId, ClosedList as _, FieldPath, MemberId, Side, Violation, ViolationCode, random};
use futures::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use super::{Api, convert, status};
use crate::domain::values::{AccountStatus, MemberStatus, PartnerTier, ProfileVisibility};
use crate::domain::{
    Account, AccountFacts, Member, MemberEvent, MemberFacts, Profile, Quotas, Roster, Rule, is_reserved,
};
use crate::store;

/// Most records that are taken over together.
const BATCH: usize = 500;
/// How long records are waited for before those at hand are taken over.
const LULL: Duration = Duration::from_millis(20);

/// How often a batch is tried, and how much longer is waited each time.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// The results, in the order of the records.
pub type Results = Pin<Box<dyn Stream<Item = Result<pb::ApplyDirectoryResponse, Failure>> + Send>>;

type Record = pb::ApplyDirectoryRequest;

/// Takes records over as they come, and holds no more of them than one batch.
pub fn handle(api: Api, call: Call<Streaming<Record>>) -> Results {
    let (results, received) = mpsc::channel(BATCH);
    let Call {
        message, caller, tag, ..
    } = call;
    let source = Source {
        records: message,
        next: None,
    };
    let applier = Applier {
        api,
        actor: caller.actor(),
        tag,
    };
    let work = tokio::spawn(run(source, applier, results.clone()));
    tokio::spawn(async move {
        // A stream that ends has answered everything; one that breaks says so.
        if let Err(panic) = work.await {
            let _ = results.send(Err(Failure::internal(panic))).await;
        }
    });
    Box::pin(ReceiverStream::new(received))
}

async fn run(
    mut source: Source,
    applier: Applier,
    results: mpsc::Sender<Result<pb::ApplyDirectoryResponse, Failure>>,
) {
    let mut rehearsed = None;
    loop {
        let outcome = match source.batch().await {
            Ok(batch) if batch.is_empty() => return,
            Ok(batch) => applier.patiently(&batch, &mut rehearsed).await,
            Err(failure) => Err(failure),
        };
        let answers = match outcome {
            Ok(answers) => answers,
            Err(failure) => {
                let _ = results.send(Err(failure)).await;
                return;
            }
        };
        for answer in answers {
            // Whoever asked is gone: what was not begun is left alone.
            if results.send(Ok(answer)).await.is_err() {
                return;
            }
        }
    }
}

/// The records, in batches of one account.
struct Source {
    records: Streaming<Record>,
    next: Option<Record>,
}

impl Source {
    async fn batch(&mut self) -> Result<Vec<Record>, Failure> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let next = match self.next.take() {
                Some(record) => Some(record),
                None if batch.is_empty() => self.receive().await?,
                None => match tokio::time::timeout(LULL, self.receive()).await {
                    Ok(received) => received?,
                    Err(_) => break,
                },
            };
            let Some(record) = next else { break };
            let goes_on = batch
                .last()
                .is_none_or(|last| of(last) == of(&record) && last.validate_only == record.validate_only);
            if !goes_on {
                self.next = Some(record);
                break;
            }
            batch.push(record);
        }
        Ok(batch)
    }

    async fn receive(&mut self) -> Result<Option<Record>, Failure> {
        self.records.message().await.map_err(|error| {
            tracing::debug!(cause = error.message(), "a record could not be decoded");
            Failure::malformed()
        })
    }
}

/// The account that a record is about.
fn of(record: &Record) -> &str {
    match &record.record {
        Some(request::Record::Account(account)) => &account.account_id,
        Some(request::Record::Member(member)) => &member.account_id,
        None => "",
    }
}

fn member(record: &Record) -> Option<&pb::MemberRecord> {
    match &record.record {
        Some(request::Record::Member(member)) => Some(member),
        _ => None,
    }
}

struct Applier {
    api: Api,
    actor: String,
    tag: Tag,
}

/// The account as the dry run of the batch before would have made it. That is all that a dry run knows of earlier batches.
type Rehearsed = Option<Account>;

impl Applier {
    /// Applies a batch, and again when others were in the way or the database was away for a moment: a list of many
    /// records must not end for that, and a batch that was applied all the same is found unchanged.
    async fn patiently(
        &self,
        batch: &[Record],
        rehearsed: &mut Rehearsed,
    ) -> Result<Vec<pb::ApplyDirectoryResponse>, Failure> {
        let mut tried = 1;
        loop {
            let failure = match self.apply(batch, rehearsed).await {
                Ok(answers) => return Ok(answers),
                Err(failure) => failure,
            };
            let passes = [Code::Unavailable, Code::Aborted, Code::DeadlineExceeded].contains(&failure.code());
            if !passes || tried == ATTEMPTS {
                return Err(failure);
            }
            tracing::warn!(%failure, tried, "a batch of the directory is applied again");
            tokio::time::sleep(PAUSE.saturating_mul(tried).mul_f64(random::jitter())).await;
            tried += 1;
        }
    }

    async fn apply(
        &self,
        batch: &[Record],
        rehearsed: &mut Rehearsed,
    ) -> Result<Vec<pb::ApplyDirectoryResponse>, Failure> {
        let first = batch.first().map(of).unwrap_or_default();
        let Ok(id) = first.parse::<AccountId>() else {
            let refused = batch
                .iter()
                .map(|record| self.refused(record, Failure::invalid(record.violations())));
            return refused.collect();
        };
        let mut tx = self.api.db.tx(&Scope::account(&id)).await?;
        let account = store::lock_account(&mut tx, &id).await?;
        let is_rehearsal = batch.first().is_some_and(|record| record.validate_only);
        let account = account.or_else(|| {
            let made = rehearsed.clone().filter(|account| *account.id() == id);
            made.filter(|_| is_rehearsal)
        });
        let members = known_members(&mut tx, &id, batch).await?;
        let emails: Vec<_> = batch
            .iter()
            .filter_map(|record| Some(member(record)?.person.as_ref()?.email.to_lowercase()))
            .collect();
        let roster = store::roster(&mut tx, &id, &emails).await?;
        let mut work = Work {
            account,
            members,
            roster,
            unsaved: Vec::new(),
        };
        let mut answers = Vec::with_capacity(batch.len());
        for record in batch {
            answers.push(self.one(&mut tx, &id, &mut work, record).await?);
        }
        self.save(&mut tx, &mut work).await?;
        if is_rehearsal {
            *rehearsed = work.account;
        } else {
            tx.commit().await?;
        }
        Ok(answers)
    }

    async fn one(
        &self,
        tx: &mut Tx,
        id: &AccountId,
        work: &mut Work,
        record: &Record,
    ) -> Result<pb::ApplyDirectoryResponse, Failure> {
        let wrong = record.violations();
        if !wrong.is_empty() {
            return self.refused(record, Failure::invalid(wrong));
        }
        let applied = match &record.record {
            Some(request::Record::Account(given)) => self.account(tx, id, work, given).await?,
            Some(request::Record::Member(given)) => self.member(tx, id, work, given).await?,
            None => Ok(pb::ApplyResult::Refused),
        };
        Ok(match applied {
            Ok(result) => pb::ApplyDirectoryResponse {
                number: record.number,
                result: result.into(),
                error: None,
            },
            Err(rule) => return self.refused(record, status::broken(rule)),
        })
    }

    fn refused(&self, record: &Record, failure: Failure) -> Result<pb::ApplyDirectoryResponse, Failure> {
        Ok(pb::ApplyDirectoryResponse {
            number: record.number,
            result: pb::ApplyResult::Refused.into(),
            error: Some(failure.into_part(&self.tag)?),
        })
    }

    async fn account(
        &self,
        tx: &mut Tx,
        id: &AccountId,
        work: &mut Work,
        given: &pb::AccountRecord,
    ) -> Result<Result<pb::ApplyResult, Rule>, Failure> {
        let side = convert::required::<Side>(given.side)?;
        let before = work.account.as_ref();
        if before.is_some_and(|account| account.side() != side) {
            return Ok(Err(invalid(
                "account.side",
                ViolationCode::ActionNotPermitted,
                "cannot change",
            )));
        }
        let profile = match profile(given, before.and_then(Account::profile))? {
            Ok(profile) => profile,
            Err(rule) => return Ok(Err(rule)),
        };
        let facts = AccountFacts {
            status: AccountStatus::from_number(given.status).unwrap_or(AccountStatus::Active),
            legal_name: given.legal_name.clone(),
            display_name: given.display_name.clone(),
            partner_types: convert::members(&given.partner_types).into_iter().collect(),
            tier: PartnerTier::from_number(given.tier).unwrap_or_default(),
            programs: given.programs.iter().cloned().collect(),
            specializations: given.specializations.iter().cloned().collect(),
        };
        let now = self.api.clock.now();
        let Some(mut account) = before.cloned() else {
            let (account, event) =
                Account::register(id.clone(), side, facts, given.terms_accepted, profile, now);
            store::save_account(tx, &account, event, self.cause()).await?;
            work.account = Some(account);
            return Ok(Ok(pb::ApplyResult::Created));
        };
        let mut result = pb::ApplyResult::Unchanged;
        while let Some(event) = account.provision(&facts, given.terms_accepted, profile.as_ref(), now) {
            store::save_account(tx, &account, event, self.cause()).await?;
            result = pb::ApplyResult::Updated;
        }
        work.account = Some(account);
        Ok(Ok(result))
    }

    async fn member(
        &self,
        tx: &mut Tx,
        id: &AccountId,
        work: &mut Work,
        given: &pb::MemberRecord,
    ) -> Result<Result<pb::ApplyResult, Rule>, Failure> {
        let Some(account) = &work.account else {
            return Ok(Err(invalid(
                "member.account_id",
                ViolationCode::InvalidValue,
                "is no account of the directory",
            )));
        };
        let member_id: MemberId = given.member_id.parse().map_err(Failure::internal)?;
        if is_reserved(&member_id, id) {
            return Ok(Err(invalid(
                "member.member_id",
                ViolationCode::InvalidValue,
                "is in the form of another kind of id",
            )));
        }
        let person = given.person.clone().unwrap_or_default();
        let before = work.members.get(&member_id);
        let kept = before.map_or(MemberStatus::Active, |member| member.facts().status);
        let facts = MemberFacts {
            status: MemberStatus::from_number(given.status).unwrap_or(kept),
            roles: convert::roles(&given.roles),
            person: convert::person(&person),
        };
        let now = self.api.clock.now();
        let quotas = &self.api.quotas.for_provisioning();
        // The roster counts the others.
        let roster = &mut work.roster;
        roster.remove(&member_id);
        let applied = match before {
            None => Member::register(
                member_id.clone(),
                id.clone(),
                account.side(),
                facts,
                roster,
                quotas,
                now,
            )
            .map(|made| (vec![made], pb::ApplyResult::Created)),
            Some(member) => provisioned(member, &facts, roster, quotas, now),
        };
        let last = applied.as_ref().ok().and_then(|(steps, _)| steps.last());
        let stands = last.map(|(member, _)| member).or(before);
        if let Some(facts) = stands.map(Member::facts)
            && facts.status != MemberStatus::Deactivated
        {
            roster.add(
                member_id.clone(),
                facts.roles.iter().copied(),
                facts.person.email.clone(),
            );
        }
        let (steps, result) = match applied {
            Ok(applied) => applied,
            Err(rule) => return Ok(Err(rule)),
        };
        for (member, event) in steps {
            // One statement writes each member once.
            if work.unsaved.iter().any(|(unsaved, _)| *unsaved.id() == member_id) {
                self.save(tx, work).await?;
            }
            work.unsaved.push((member.clone(), event));
            work.members.insert(member_id.clone(), member);
        }
        Ok(Ok(result))
    }

    /// Writes the members that have changed, all together.
    async fn save(&self, tx: &mut Tx, work: &mut Work) -> Result<(), Failure> {
        let unsaved = std::mem::take(&mut work.unsaved);
        Ok(store::save_members(tx, &unsaved, self.cause()).await?)
    }

    fn cause(&self) -> Cause<'_> {
        Cause {
            actor: &self.actor,
            request_id: &self.tag.request_id,
            time: self.api.clock.now(),
        }
    }
}

/// The member after each step towards what the list has, and what happened in it.
fn provisioned(
    member: &Member,
    facts: &MemberFacts,
    roster: &Roster,
    quotas: &Quotas,
    now: DateTime<Utc>,
) -> Result<(Vec<(Member, MemberEvent)>, pb::ApplyResult), Rule> {
    let mut member = member.clone();
    let mut steps = Vec::new();
    while let Some(event) = member.provision(facts, roster, quotas, now)? {
        steps.push((member.clone(), event));
    }
    let result = if steps.is_empty() {
        pb::ApplyResult::Unchanged
    } else {
        pb::ApplyResult::Updated
    };
    Ok((steps, result))
}

/// What a batch works on.
struct Work {
    account: Option<Account>,
    members: BTreeMap<MemberId, Member>,
    roster: Roster,
    unsaved: Vec<(Member, MemberEvent)>,
}

async fn known_members(
    tx: &mut Tx,
    account: &AccountId,
    batch: &[Record],
) -> Result<BTreeMap<MemberId, Member>, Failure> {
    let ids: Vec<_> = batch
        .iter()
        .filter_map(|record| Some(member(record)?.member_id.clone()))
        .collect();
    let found = store::load_members(tx, account, &ids).await?;
    Ok(found
        .into_iter()
        .map(|member| (member.id().clone(), member))
        .collect())
}

/// The profile as it is to be; a new one gets an id.
fn profile(
    given: &pb::AccountRecord,
    before: Option<&Profile>,
) -> Result<Result<Option<Profile>, Rule>, Failure> {
    let visibility = ProfileVisibility::from_number(given.visibility);
    let text = match (&given.profile, before) {
        (Some(given), _) => convert::profile_text(given)?,
        (None, Some(before)) => before.text.clone(),
        (None, None) => return Ok(Ok(None)),
    };
    let wrong = text.wrong();
    if !wrong.is_empty() {
        let wrong = wrong
            .into_iter()
            .map(|violation| violation.under("account.profile"));
        return Ok(Err(Rule::Invalid(wrong.collect())));
    }
    let id = match before {
        Some(before) => before.id.clone(),
        None => random::prefixed("pprofile-").parse().map_err(Failure::internal)?,
    };
    let visibility = visibility
        .or(before.map(|before| before.visibility))
        .unwrap_or(ProfileVisibility::Private);
    Ok(Ok(Some(Profile { id, visibility, text })))
}

/// What is wrong with a record in itself (DIR-051).
fn invalid(at: &str, code: ViolationCode, text: &str) -> Rule {
    let root = FieldPath::root();
    Rule::Invalid(vec![Violation::new(&root.field(at), code, text)])
}
