//! Compares the API with its recorded wire format and with the enums of the code.

use super::*;

/// One line for every element of the wire format. A removed or changed line is a breaking change.
#[test]
fn wire_format_equals_the_recorded_one() {
    let pool = pool();
    let mut lines = BTreeSet::new();
    for message in own_messages(&pool) {
        for field in message.fields() {
            let kind = match field.kind() {
                Kind::Message(inner) => inner.full_name().to_owned(),
                Kind::Enum(list) => list.full_name().to_owned(),
                kind => format!("{kind:?}").to_lowercase(),
            };
            let label = if field.is_list() {
                "repeated "
            } else if field.supports_presence() {
                "optional "
            } else {
                ""
            };
            lines.insert(format!(
                "{} = {:03} {label}{kind}",
                field.full_name(),
                field.number()
            ));
        }
        if message.fields().len() == 0 {
            lines.insert(format!("{} is empty", message.full_name()));
        }
    }
    for list in own_enums(&pool) {
        for value in list.values() {
            lines.insert(format!(
                "{}.{} = {:03}",
                list.full_name(),
                value.name(),
                value.number()
            ));
        }
    }
    for method in methods(&pool) {
        lines.insert(format!(
            "{} ({}) ({})",
            method.full_name(),
            method.input().full_name(),
            method.output().full_name()
        ));
    }
    let mut current = String::new();
    for line in lines {
        let _ = writeln!(current, "{line}");
    }
    let recorded = read("tests/wire.txt");
    if current != recorded {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) =
            (recorded.lines().collect(), current.lines().collect());
        let removed: Vec<_> = before
            .difference(&after)
            .map(|line| format!("- {line}"))
            .collect();
        let added: Vec<_> = after
            .difference(&before)
            .map(|line| format!("+ {line}"))
            .collect();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wire.txt");
        std::fs::write(&path, &current).expect("a file under target/");
        panic!(
            "the API differs from tests/wire.txt. A line with - breaks clients; if the change is intended, replace it \
             with {}.\n{}\n{}",
            path.display(),
            removed.join("\n"),
            added.join("\n")
        );
    }
}

/// The enums of the services have the numbers, names and AWS values of the API.
#[test]
fn enums_of_the_code_equal_those_of_the_api() {
    use cosell_collaboration::domain::values as collaboration;
    use cosell_notification::domain::values as notification;
    use cosell_opportunity::domain::values as opportunity;
    use cosell_partner_connection::domain::values as partner;
    use cosell_referral::domain::values as referral;
    use cosell_review::domain::values as review;
    use cosell_types as types;

    let pool = pool();
    let mut checked = BTreeSet::new();
    let mut check = |name: &str, values: Vec<(i32, &'static str, &'static str)>| {
        let list = pool.get_enum_by_name(name).unwrap_or_else(|| panic!("no {name}"));
        let file = list.parent_file();
        let prefix = list
            .get_value(0)
            .expect("0")
            .name()
            .trim_end_matches("UNSPECIFIED")
            .to_owned();
        let original = Regex::new("Original value: \"([^\"]+)\"").expect("a pattern");
        let defined: Vec<_> = list
            .values()
            .filter(|value| value.number() != 0)
            .map(|value| {
                let text = comment(&file, value.path()).replace('\n', "");
                let literal = original
                    .captures(&text)
                    .map(|found| found[1].to_owned())
                    .unwrap_or_default();
                (
                    value.number(),
                    value.name().trim_start_matches(&prefix).to_owned(),
                    literal,
                )
            })
            .collect();
        let coded: Vec<_> = values
            .into_iter()
            .map(|(number, name, literal)| (number, name.to_owned(), literal.to_owned()))
            .collect();
        assert_eq!(coded, defined, "{name}");
        checked.insert(name.to_owned());
    };
    macro_rules! same {
        ($($module:ident::$list:ident = $name:literal;)+) => {
            $({
                use cosell_types::ClosedList as _;
                let values = $module::$list::ALL.iter().map(|value| (value.number(), value.name(), value.literal()));
                check($name, values.collect());
            })+
        };
    }
    same! {
        collaboration::ChannelMemberState = "cosell.collaboration.v1.ChannelMemberState";
        collaboration::ChannelProvider = "cosell.collaboration.v1.ChannelProvider";
        collaboration::ChannelState = "cosell.collaboration.v1.ChannelState";
        collaboration::EngagementInvitationState = "cosell.collaboration.v1.EngagementInvitationState";
        collaboration::EngagementMemberState = "cosell.collaboration.v1.EngagementMemberState";
        collaboration::SnapshotJobState = "cosell.collaboration.v1.SnapshotJobState";
        collaboration::SnapshotTemplate = "cosell.collaboration.v1.SnapshotTemplate";
        notification::NotificationKind = "cosell.notification.v1.NotificationKind";
        opportunity::BulkKind = "cosell.opportunity.v1.BulkKind";
        opportunity::BulkState = "cosell.opportunity.v1.BulkState";
        opportunity::FileFormat = "cosell.opportunity.v1.FileFormat";
        opportunity::ImportMode = "cosell.opportunity.v1.ImportMode";
        opportunity::ClosedLostReason = "cosell.opportunity.v1.ClosedLostReason";
        opportunity::CompetitorName = "cosell.opportunity.v1.CompetitorName";
        opportunity::DeliveryModel = "cosell.opportunity.v1.DeliveryModel";
        opportunity::InvolvementType = "cosell.opportunity.v1.InvolvementType";
        opportunity::MarketingChannel = "cosell.opportunity.v1.MarketingChannel";
        opportunity::MarketingSource = "cosell.opportunity.v1.MarketingSource";
        opportunity::MigrationPhase = "cosell.opportunity.v1.MigrationPhase";
        opportunity::OpportunityType = "cosell.opportunity.v1.OpportunityType";
        opportunity::Origin = "cosell.opportunity.v1.Origin";
        opportunity::PaymentFrequency = "cosell.opportunity.v1.PaymentFrequency";
        opportunity::Preset = "cosell.opportunity.v1.OpportunityPreset";
        opportunity::PrimaryNeedFromAws = "cosell.opportunity.v1.PrimaryNeedFromAws";
        opportunity::RevenueDeliveryModel = "cosell.opportunity.v1.RevenueDeliveryModel";
        opportunity::ReviewReason = "cosell.type.v1.ReviewReason";
        opportunity::ReviewStatus = "cosell.type.v1.ReviewStatus";
        opportunity::SalesActivity = "cosell.opportunity.v1.SalesActivity";
        opportunity::RelatedEntityType = "cosell.opportunity.v1.RelatedEntityType";
        opportunity::SolutionStatus = "cosell.opportunity.v1.SolutionStatus";
        opportunity::Stage = "cosell.opportunity.v1.Stage";
        opportunity::StageMove = "cosell.opportunity.v1.StageMove";
        opportunity::Visibility = "cosell.opportunity.v1.Visibility";
        opportunity::AwsStage = "cosell.opportunity.v1.AwsStage";
        opportunity::InvolvementTypeChangeReason = "cosell.opportunity.v1.InvolvementTypeChangeReason";
        opportunity::EngagementScore = "cosell.opportunity.v1.EngagementScore";
        partner::AccessType = "cosell.partner.v1.AccessType";
        partner::AccountStatus = "cosell.partner.v1.AccountStatus";
        partner::ConnectionStatus = "cosell.partner.v1.ConnectionStatus";
        partner::ConnectionType = "cosell.partner.v1.ConnectionType";
        partner::ConnectionInvitationStatus = "cosell.partner.v1.ConnectionInvitationStatus";
        partner::MemberStatus = "cosell.partner.v1.MemberStatus";
        partner::PartnerType = "cosell.partner.v1.PartnerType";
        partner::ProfileVisibility = "cosell.partner.v1.ProfileVisibility";
        partner::PartnerTier = "cosell.partner.v1.PartnerTier";
        partner::SolutionType = "cosell.partner.v1.SolutionType";
        types::ParticipantType = "cosell.type.v1.ParticipantType";
        types::RejectionReason = "cosell.type.v1.RejectionReason";
        types::Role = "cosell.partner.v1.Role";
        types::Side = "cosell.partner.v1.Side";
        referral::LeadState = "cosell.referral.v1.LeadState";
        referral::ReferralOfferState = "cosell.referral.v1.ReferralOfferState";
        referral::PayloadType = "cosell.type.v1.PayloadType";
        referral::ReferralState = "cosell.referral.v1.ReferralState";
        review::Decision = "cosell.review.v1.ReviewDecision";
        review::ReviewReason = "cosell.type.v1.ReviewReason";
        review::CaseState = "cosell.review.v1.ReviewCaseState";
    }
    let unchecked: Vec<_> = own_enums(&pool)
        .iter()
        .map(|list| list.full_name().to_owned())
        .filter(|name| !checked.contains(name))
        // These enums have no counterpart in the code.
        .filter(|name| {
            !name.ends_with(".ErrorReason")
                && ![
                    "cosell.type.v1.SortOrder",
                    "cosell.partner.v1.ApplyResult",
                    "cosell.opportunity.v1.OpportunitySortKey",
                    "cosell.opportunity.v1.OpportunityAction",
                    "cosell.opportunity.v1.SolutionSortKey",
                    "cosell.type.v1.ReceiverResponsibility",
                    "cosell.collaboration.v1.EngagementPayloadType",
                ]
                .contains(&name.as_str())
        })
        .collect();
    assert_none("enums that are not compared with code", &unchecked);
}

/// A review decision unlocks fields of the opportunity; the review service has its own list of their paths.
#[test]
fn rev_013_correctable_fields_are_fields_of_the_opportunity() {
    let expected: Vec<_> = cosell_opportunity::domain::Field::ALL
        .iter()
        .map(|field| field.path())
        .filter(|path| *path != "national_security")
        .collect();
    assert_eq!(cosell_review::domain::CORRECTABLE.as_slice(), expected);
}
