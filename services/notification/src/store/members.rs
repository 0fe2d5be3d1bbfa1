//! The candidate recipients with their addresses.

use cosell_store::{Error, Tx};
use cosell_types::{AccountId, ClosedList as _, MemberId, Pii, Role, Side};

use crate::domain::Member;
use crate::domain::values::NotificationKind;

/// Saves the address of a member, unless a newer revision is stored.
pub async fn save_contact(
    tx: &mut Tx,
    account: &AccountId,
    member: &MemberId,
    revision: i64,
    email: &Pii<String>,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO contact (account_id, member_id, revision, email) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id, member_id) DO UPDATE SET revision = $3, email = $4 WHERE contact.revision < $3",
        account.as_str(),
        member.as_str(),
        revision,
        email.reveal(),
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
pub async fn load_members_of_account(tx: &mut Tx, account: &AccountId) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT m.account_id, m.member_id, a.side, c.email, m.roles, p.email_opt_outs AS "email_opt_outs?"
           FROM directory_member m JOIN directory_account a ON a.account_id = m.account_id
             JOIN contact c ON c.account_id = m.account_id AND c.member_id = m.member_id
             LEFT JOIN preference p ON p.account_id = m.account_id AND p.member_id = m.member_id
           WHERE m.account_id = $1 AND m.is_active AND a.is_active ORDER BY m.member_id"#,
        account.as_str(),
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Member::try_from).collect()
}

/// The active members of all AWS accounts.
pub async fn load_aws_members(tx: &mut Tx) -> Result<Vec<Member>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT m.account_id, m.member_id, a.side, c.email, m.roles, p.email_opt_outs AS "email_opt_outs?"
           FROM directory_member m JOIN directory_account a ON a.account_id = m.account_id
             JOIN contact c ON c.account_id = m.account_id AND c.member_id = m.member_id
             LEFT JOIN preference p ON p.account_id = m.account_id AND p.member_id = m.member_id
           WHERE a.side = 'AWS' AND m.is_active AND a.is_active ORDER BY m.account_id, m.member_id"#,
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
            side: Side::from_name(&row.side).ok_or_else(|| Error::corrupt("side", &row.side))?,
            email: row.email.into(),
            roles: row
                .roles
                .iter()
                .filter_map(|name| Role::from_name(name))
                .collect(),
            opt_outs: opt_outs
                .iter()
                .filter_map(|name| NotificationKind::from_name(name))
                .collect(),
        })
    }
}
