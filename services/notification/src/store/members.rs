//! The replica of members.

use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role, Side};
use serde::Deserialize;

use crate::domain::Member;
use crate::domain::values::Kind;

/// A member as it is provisioned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub account_id: AccountId,
    pub member_id: MemberId,
    /// `partner` or `aws`.
    pub side: String,
    pub first_name: Pii<String>,
    pub last_name: Pii<String>,
    pub email: Pii<String>,
    pub roles: Vec<String>,
    pub active: bool,
}

/// Takes over what is known of a person.
pub async fn upsert(tx: &mut Tx, person: &Person) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO member (account_id, member_id, side, first_name, last_name, email, roles, active)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id, member_id) DO UPDATE SET side = $3, first_name = $4, last_name = $5, email = $6,
           roles = $7, active = $8",
        person.account_id.as_str(),
        person.member_id.as_str(),
        person.side,
        person.first_name.reveal(),
        person.last_name.reveal(),
        person.email.reveal(),
        &person.roles,
        person.active,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

struct Row {
    account_id: String,
    member_id: String,
    side: String,
    email: String,
    roles: Vec<String>,
    email_opt_outs: Option<Vec<String>>,
}

/// The active members of an account.
pub async fn of_account(tx: &mut Tx, account: &AccountId) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT m.account_id, m.member_id, m.side, m.email, m.roles, p.email_opt_outs AS "email_opt_outs?"
           FROM member m LEFT JOIN preference p ON p.account_id = m.account_id AND p.member_id = m.member_id
           WHERE m.account_id = $1 AND m.active ORDER BY m.member_id"#,
        account.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Member::try_from).collect()
}

/// The active members of AWS.
pub async fn of_aws(tx: &mut Tx) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT m.account_id, m.member_id, m.side, m.email, m.roles, p.email_opt_outs AS "email_opt_outs?"
           FROM member m LEFT JOIN preference p ON p.account_id = m.account_id AND p.member_id = m.member_id
           WHERE m.side = 'aws' AND m.active ORDER BY m.account_id, m.member_id"#,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Member::try_from).collect()
}

impl TryFrom<Row> for Member {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let opt_outs = row.email_opt_outs.unwrap_or_default();
        Ok(Self {
            id: row
                .member_id
                .parse()
                .map_err(|error| Error::corrupt("member_id", error))?,
            account: row
                .account_id
                .parse()
                .map_err(|error| Error::corrupt("account_id", error))?,
            side: if row.side == "aws" {
                Side::Aws
            } else {
                Side::Partner
            },
            email: row.email.into(),
            roles: row
                .roles
                .iter()
                .filter_map(|name| name.parse::<Role>().ok())
                .collect(),
            opt_outs: opt_outs.iter().filter_map(|name| Kind::from_name(name)).collect(),
        })
    }
}
