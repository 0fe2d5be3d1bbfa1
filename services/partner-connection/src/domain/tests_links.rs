//! Which companies may connect and be linked (CON-005, CON-006).

use cosell_types::{ClosedList as _, ParticipantType};

use super::tests_connection::{NO_LINKS, account, connection_id, invitation_id, offer};
use super::tests_member::{QUOTAS, now};
use super::values::{ConnectionType, PartnerTier};
use super::{Account, Connection, Invitation, Links, Quotas, Rule, Standing};

fn send(
    from: &Account,
    kind: ConnectionType,
    links: [Links; 2],
    quotas: &Quotas,
) -> Result<Invitation, Rule> {
    let standing = Standing {
        links,
        ..Standing::default()
    };
    let to = account('2', true);
    Invitation::send(invitation_id(), from, &to, offer(kind), &standing, quotas, now())
        .map(|(invitation, _)| invitation)
}

fn of_tier(tier: PartnerTier) -> Account {
    let mut account = account('1', true);
    let mut facts = account.facts().clone();
    facts.tier = tier;
    account.provision(&facts, true, None, now());
    account
}

/// Every cell: who has come so far, and how far it takes.
#[test]
fn con_005_dir_002_only_who_has_come_far_enough_invites() {
    for &tier in PartnerTier::ALL {
        for &required in PartnerTier::ALL {
            let quotas = Quotas {
                connection_tier: required,
                ..QUOTAS
            };
            let sent = send(
                &of_tier(tier),
                ConnectionType::OpportunityCollaboration,
                NO_LINKS,
                &quotas,
            );
            let expected = if tier < required {
                Err(Rule::Tier { tier, required })
            } else {
                Ok(())
            };
            assert_eq!(
                sent.map(drop),
                expected,
                "{tier:?} where {required:?} is required"
            );
        }
    }
}

/// Every cell: how sender and receiver are linked, at the invitation and at its acceptance.
#[test]
fn con_006_a_link_leaves_two_levels_and_one_company_above() {
    let bits = [false, true];
    for sender_below in bits {
        for sender_above in bits {
            for receiver_below in bits {
                for receiver_above in bits {
                    let links = [(sender_below, sender_above), (receiver_below, receiver_above)].map(
                        |(is_subsidiary, has_subsidiaries)| Links {
                            is_subsidiary,
                            has_subsidiaries,
                        },
                    );
                    let expected = if sender_below {
                        Err(Rule::Linked(ParticipantType::Sender))
                    } else if receiver_below || receiver_above {
                        Err(Rule::Linked(ParticipantType::Receiver))
                    } else {
                        Ok(())
                    };
                    let from = account('1', true);
                    let sent = send(&from, ConnectionType::Subsidiary, links, &QUOTAS);
                    assert_eq!(sent.map(drop), expected, "{links:?}");
                    let mut open =
                        send(&from, ConnectionType::Subsidiary, NO_LINKS, &QUOTAS).expect("an invitation");
                    let receiver = account('2', true);
                    let taken = open.accept(receiver.id(), connection_id(), links, now());
                    assert_eq!(taken.map(drop), expected, "{links:?}");
                    // Working together takes no link.
                    assert!(send(&from, ConnectionType::OpportunityCollaboration, links, &QUOTAS).is_ok());
                }
            }
        }
    }
}

#[test]
fn con_006_links_are_those_that_are_in_force() {
    let (above, below) = (account('1', true), account('2', true));
    let mut open = send(&above, ConnectionType::Subsidiary, NO_LINKS, &QUOTAS).expect("an invitation");
    open.accept(below.id(), connection_id(), NO_LINKS, now())
        .expect("accepted");
    let (mut connection, _) =
        Connection::make(connection_id(), &open, [0, 0], &QUOTAS, now()).expect("a connection");
    let links = |account: &Account, connection: &Connection| {
        let links = Links::of(account.id(), std::slice::from_ref(connection));
        (links.is_subsidiary, links.has_subsidiaries)
    };
    assert_eq!(links(&above, &connection), (false, true));
    assert_eq!(links(&below, &connection), (true, false));
    connection
        .cancel(ConnectionType::Subsidiary, above.id(), "over".into(), now())
        .expect("an end");
    assert_eq!(links(&above, &connection), (false, false));
    assert_eq!(links(&below, &connection), (false, false));
}
