//! Covers eligibility for connections: the partner tier of the sender (CON-005) and the two levels of subsidiary links
//! (CON-006).

use cosell_types::{ClosedList as _, ParticipantType};

use super::tests_connection::{NO_LINKS, account, connection_id, details, invitation_id};
use super::tests_member::{QUOTAS, now};
use super::values::{ConnectionType, PartnerTier};
use super::{Account, Connection, ConnectionContext, Invitation, Quotas, Rule, SubsidiaryLinks};

fn send_invitation(
    from: &Account,
    kind: ConnectionType,
    links: [SubsidiaryLinks; 2],
    quotas: &Quotas,
) -> Result<Invitation, Rule> {
    let context = ConnectionContext {
        links,
        ..ConnectionContext::default()
    };
    let to = account('2', true);
    Invitation::send(invitation_id(), from, &to, details(kind), &context, quotas, now())
        .map(|(invitation, _)| invitation)
}

fn account_of_tier(tier: PartnerTier) -> Account {
    let mut account = account('1', true);
    let mut facts = account.facts().clone();
    facts.tier = tier;
    account.provision_next_change(&facts, true, None, now());
    account
}

/// Combines every tier of the sender with every required tier.
#[test]
fn con_005_dir_002_invitation_requires_sender_tier() {
    for &tier in PartnerTier::ALL {
        for &required in PartnerTier::ALL {
            let quotas = Quotas {
                connection_tier: required,
                ..QUOTAS
            };
            let sent = send_invitation(
                &account_of_tier(tier),
                ConnectionType::OpportunityCollaboration,
                NO_LINKS,
                &quotas,
            );
            let expected = if tier < required {
                Err(Rule::IneligibleTier { tier, required })
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

/// Combines every link state of sender and receiver, at the invitation and at its acceptance.
#[test]
fn con_006_link_allows_two_levels_and_one_parent() {
    let bits = [false, true];
    for sender_is_subsidiary in bits {
        for sender_has_subsidiaries in bits {
            for receiver_is_subsidiary in bits {
                for receiver_has_subsidiaries in bits {
                    let links = [
                        (sender_is_subsidiary, sender_has_subsidiaries),
                        (receiver_is_subsidiary, receiver_has_subsidiaries),
                    ]
                    .map(|(is_subsidiary, has_subsidiaries)| SubsidiaryLinks {
                        is_subsidiary,
                        has_subsidiaries,
                    });
                    let expected = if sender_is_subsidiary {
                        Err(Rule::AlreadyLinked(ParticipantType::Sender))
                    } else if receiver_is_subsidiary || receiver_has_subsidiaries {
                        Err(Rule::AlreadyLinked(ParticipantType::Receiver))
                    } else {
                        Ok(())
                    };
                    let from = account('1', true);
                    let sent = send_invitation(&from, ConnectionType::Subsidiary, links, &QUOTAS);
                    assert_eq!(sent.map(drop), expected, "{links:?}");
                    let mut invitation =
                        send_invitation(&from, ConnectionType::Subsidiary, NO_LINKS, &QUOTAS)
                            .expect("an invitation");
                    let receiver = account('2', true);
                    let accepted = invitation.accept(receiver.id(), connection_id(), links, now());
                    assert_eq!(accepted.map(drop), expected, "{links:?}");
                    // An opportunity collaboration does not depend on links.
                    assert!(
                        send_invitation(&from, ConnectionType::OpportunityCollaboration, links, &QUOTAS)
                            .is_ok()
                    );
                }
            }
        }
    }
}

#[test]
fn con_006_canceled_subsidiary_connection_is_no_link() {
    let (parent, subsidiary) = (account('1', true), account('2', true));
    let mut invitation =
        send_invitation(&parent, ConnectionType::Subsidiary, NO_LINKS, &QUOTAS).expect("an invitation");
    invitation
        .accept(subsidiary.id(), connection_id(), NO_LINKS, now())
        .expect("an acceptance");
    let (mut connection, _) =
        Connection::establish(connection_id(), &invitation, [0, 0], &QUOTAS, now()).expect("a connection");
    let links = |account: &Account, connection: &Connection| {
        let links = SubsidiaryLinks::from_connections(account.id(), std::slice::from_ref(connection));
        (links.is_subsidiary, links.has_subsidiaries)
    };
    assert_eq!(links(&parent, &connection), (false, true));
    assert_eq!(links(&subsidiary, &connection), (true, false));
    connection
        .cancel(
            ConnectionType::Subsidiary,
            parent.id(),
            "contract ended".into(),
            now(),
        )
        .expect("a cancellation");
    assert_eq!(links(&parent, &connection), (false, false));
    assert_eq!(links(&subsidiary, &connection), (false, false));
}
