//! Associated entities: solutions, products and offers of an opportunity (OPP-045 to OPP-048).

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, ClosedList as _, FieldPath, MemberId, Violation, ViolationCode};

use super::rule::ok_or_invalid;
use super::values::{RelatedEntityType, ReviewStatus, Stage};
use super::{Event, Facts, Opportunity, RelatedEntityIdentifiers, Rule, check};

const IDENTIFIER: &str = "entity_identifier";

impl Opportunity {
    /// Associates an entity. `None` if it is already associated (OPP-045).
    pub fn associate(
        &mut self,
        by: &MemberId,
        kind: RelatedEntityType,
        identifier: &str,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        self.can_associate_entity(kind)?;
        if !kind.fits(identifier) {
            let text = format!("Must be {}.", kind.format());
            return Err(invalid_identifier(ViolationCode::InvalidStringFormat, text));
        }
        let related = &self.details.related_entity_identifiers;
        if related
            .identifiers(kind)
            .iter()
            .any(|present| present == identifier)
        {
            return Ok(None);
        }
        let mut extended = related.clone();
        extended.identifiers_mut(kind).push(identifier.to_owned());
        let mut violations = Vec::new();
        check_limits(&extended, &mut violations);
        reference_violation(kind, identifier, &self.account, facts)?
            .into_iter()
            .for_each(|text| {
                violations.push(Violation::new(
                    &FieldPath::root(),
                    ViolationCode::InvalidValue,
                    text,
                ));
            });
        let violations = violations.into_iter().map(|violation| Violation {
            field: IDENTIFIER.to_owned(),
            ..violation
        });
        ok_or_invalid(violations.collect())?;
        self.details.related_entity_identifiers = extended;
        self.advance_revision(Some(by), now);
        Ok(Some(Event::Related(kind)))
    }

    /// Disassociates an entity. `None` if it is not associated (OPP-045).
    pub fn disassociate(
        &mut self,
        by: &MemberId,
        kind: RelatedEntityType,
        identifier: &str,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        self.can_associate_entity(kind)?;
        let mut details = self.details.clone();
        let remaining = details.related_entity_identifiers.identifiers_mut(kind);
        let count_before = remaining.len();
        remaining.retain(|present| present != identifier);
        if remaining.len() == count_before {
            return Ok(None);
        }
        if self.review.status == ReviewStatus::Approved {
            let mut violations = Vec::new();
            self.check_solution(&details, facts, &mut violations);
            if !violations.is_empty() {
                let text =
                    "Is the last solution of an opportunity that requires one. Associate another one first.";
                return Err(invalid_identifier(
                    ViolationCode::NotEnoughValues,
                    text.to_owned(),
                ));
            }
        }
        self.details = details;
        self.advance_revision(Some(by), now);
        Ok(Some(Event::Related(kind)))
    }

    /// Whether entities of at least one type can be associated and disassociated now (OPP-045).
    pub fn can_associate_any_entity(&self) -> Result<(), Rule> {
        let mut kinds = RelatedEntityType::ALL.iter();
        let is_any_open = kinds.any(|kind| self.can_associate_entity(*kind).is_ok());
        self.ensure_allowed(is_any_open, "ASSOCIATE_ENTITY")
    }

    /// Whether entities of this type can be associated and disassociated now (OPP-045).
    pub fn can_associate_entity(&self, kind: RelatedEntityType) -> Result<(), Rule> {
        let is_changeable = match self.review.status {
            ReviewStatus::PendingSubmission | ReviewStatus::Approved => true,
            ReviewStatus::ActionRequired => self.review.opens_entities(kind),
            ReviewStatus::Submitted | ReviewStatus::InReview | ReviewStatus::Rejected => false,
        };
        let is_lost = self.details.life_cycle.stage == Stage::ClosedLost;
        self.ensure_allowed(is_changeable && !(is_lost && kind.is_offer()), "ASSOCIATE_ENTITY")
    }
}

impl RelatedEntityIdentifiers {
    /// The identifiers of this type.
    pub fn identifiers(&self, kind: RelatedEntityType) -> &[String] {
        match kind {
            RelatedEntityType::Solutions => &self.solutions,
            RelatedEntityType::AwsProducts => &self.aws_products,
            RelatedEntityType::AwsMarketplaceSolutions => &self.aws_marketplace_solutions,
            RelatedEntityType::AwsMarketplaceProducts => &self.aws_marketplace_products,
            RelatedEntityType::AwsMarketplaceOffers => &self.aws_marketplace_offers,
            RelatedEntityType::AwsMarketplaceOfferSets => &self.aws_marketplace_offer_sets,
        }
    }

    /// The identifiers of this type, mutable.
    pub fn identifiers_mut(&mut self, kind: RelatedEntityType) -> &mut Vec<String> {
        match kind {
            RelatedEntityType::Solutions => &mut self.solutions,
            RelatedEntityType::AwsProducts => &mut self.aws_products,
            RelatedEntityType::AwsMarketplaceSolutions => &mut self.aws_marketplace_solutions,
            RelatedEntityType::AwsMarketplaceProducts => &mut self.aws_marketplace_products,
            RelatedEntityType::AwsMarketplaceOffers => &mut self.aws_marketplace_offers,
            RelatedEntityType::AwsMarketplaceOfferSets => &mut self.aws_marketplace_offer_sets,
        }
    }

    /// The offer or offer set, which belongs to one opportunity of the account (OPP-047).
    pub fn offer(&self) -> Option<&str> {
        let mut offers = self
            .aws_marketplace_offers
            .iter()
            .chain(&self.aws_marketplace_offer_sets);
        offers.next().map(String::as_str)
    }

    /// The entities that a clone copies: no offers, and only solutions and products that are still valid (OPP-037).
    pub fn for_clone(&self, account: &AccountId, facts: &Facts<'_>) -> Self {
        let of_valid_sellers = |arns: &[String]| {
            let is_valid = |arn: &&String| {
                seller(arn).is_some_and(|seller| seller == *account || facts.subsidiaries.contains(&seller))
            };
            arns.iter().filter(is_valid).cloned().collect()
        };
        let in_catalog = |ids: &[String], catalog: &std::collections::BTreeSet<String>| {
            ids.iter().filter(|id| catalog.contains(*id)).cloned().collect()
        };
        Self {
            solutions: in_catalog(&self.solutions, &facts.solutions),
            aws_products: in_catalog(&self.aws_products, &facts.products),
            aws_marketplace_solutions: of_valid_sellers(&self.aws_marketplace_solutions),
            aws_marketplace_products: of_valid_sellers(&self.aws_marketplace_products),
            aws_marketplace_offers: Vec::new(),
            aws_marketplace_offer_sets: Vec::new(),
        }
    }
}

impl RelatedEntityType {
    /// How many entities of this type an opportunity can have.
    pub fn limit(self) -> usize {
        match self {
            RelatedEntityType::Solutions
            | RelatedEntityType::AwsMarketplaceSolutions
            | RelatedEntityType::AwsMarketplaceProducts => 10,
            RelatedEntityType::AwsProducts => 20,
            RelatedEntityType::AwsMarketplaceOffers | RelatedEntityType::AwsMarketplaceOfferSets => 1,
        }
    }

    /// Whether this is an offer or an offer set.
    pub fn is_offer(self) -> bool {
        matches!(
            self,
            RelatedEntityType::AwsMarketplaceOffers | RelatedEntityType::AwsMarketplaceOfferSets
        )
    }

    /// Path of the list, relative to the opportunity.
    pub fn path(self) -> &'static str {
        match self {
            RelatedEntityType::Solutions => "related_entity_identifiers.solutions",
            RelatedEntityType::AwsProducts => "related_entity_identifiers.aws_products",
            RelatedEntityType::AwsMarketplaceSolutions => {
                "related_entity_identifiers.aws_marketplace_solutions"
            }
            RelatedEntityType::AwsMarketplaceProducts => {
                "related_entity_identifiers.aws_marketplace_products"
            }
            RelatedEntityType::AwsMarketplaceOffers => "related_entity_identifiers.aws_marketplace_offers",
            RelatedEntityType::AwsMarketplaceOfferSets => {
                "related_entity_identifiers.aws_marketplace_offer_sets"
            }
        }
    }

    /// The resource types and the id prefixes in ARNs of this type.
    fn resources(self) -> &'static [(&'static str, &'static str)] {
        match self {
            RelatedEntityType::Solutions | RelatedEntityType::AwsProducts => &[],
            RelatedEntityType::AwsMarketplaceSolutions => &[("Solution", "soln-")],
            RelatedEntityType::AwsMarketplaceProducts => &[
                ("AmiProduct", "prod-"),
                ("SaaSProduct", "prod-"),
                ("ContainerProduct", "prod-"),
            ],
            RelatedEntityType::AwsMarketplaceOffers => &[("Offer", "offer-")],
            RelatedEntityType::AwsMarketplaceOfferSets => &[("OfferSet", "offerset-")],
        }
    }

    /// Whether the identifier has the format of this type.
    pub fn fits(self, identifier: &str) -> bool {
        match self {
            RelatedEntityType::Solutions => identifier.strip_prefix("S-").is_some_and(|number| {
                (1..=19).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
            }),
            RelatedEntityType::AwsProducts => (1..=80).contains(&identifier.chars().count()),
            _ => self.resources().iter().any(|(resource, prefix)| {
                let mut parts = identifier.rsplit('/');
                let id = parts
                    .next()
                    .and_then(|id| id.strip_prefix(prefix))
                    .unwrap_or_default();
                let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
                is_id && parts.next() == Some(*resource) && is_marketplace_arn(identifier)
            }),
        }
    }

    /// Describes the format of identifiers, for error texts.
    fn format(self) -> String {
        match self {
            RelatedEntityType::Solutions => "`S-` and 1 to 19 digits".to_owned(),
            RelatedEntityType::AwsProducts => "a code of 1 to 80 characters".to_owned(),
            _ => {
                let ends = self
                    .resources()
                    .iter()
                    .map(|(name, prefix)| format!("/{name}/{prefix}…"));
                let ends: Vec<_> = ends.collect();
                format!("an ARN of AWS Marketplace that ends with {}", ends.join(" or "))
            }
        }
    }
}

fn is_marketplace_arn(arn: &str) -> bool {
    let mut parts = arn.split(':');
    let partition = (parts.next() == Some("arn")).then(|| parts.next()).flatten();
    partition.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    }) && parts.next() == Some("aws-marketplace")
}

/// The account that sells the AWS Marketplace entity.
fn seller(arn: &str) -> Option<AccountId> {
    arn.split(':').nth(4)?.parse().ok()
}

/// Checks the associated entities of a new opportunity (OPP-045 to OPP-048).
pub fn check_entities(
    related: &RelatedEntityIdentifiers,
    account: &AccountId,
    facts: &Facts<'_>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    check_limits(related, &mut violations);
    for kind in RelatedEntityType::ALL.iter().copied() {
        let identifiers = related.identifiers(kind);
        // A list that is too long is refused as a whole.
        if identifiers.len() > kind.limit() {
            continue;
        }
        for (index, identifier) in identifiers.iter().enumerate() {
            let text = match reference_violation(kind, identifier, account, facts) {
                Ok(text) => text,
                Err(_) => Some(NO_SUBSIDIARY.to_owned()),
            };
            if let Some(text) = text {
                let at = format!("{}[{index}]", kind.path());
                check::add(&mut violations, &at, ViolationCode::InvalidValue, text);
            }
        }
    }
    violations
}

const NO_SUBSIDIARY: &str = "Belongs to an account without an active SUBSIDIARY connection to this account.";

/// Describes why a well-formed identifier cannot be associated; `None` if it can.
fn reference_violation(
    kind: RelatedEntityType,
    identifier: &str,
    account: &AccountId,
    facts: &Facts<'_>,
) -> Result<Option<String>, Rule> {
    let is_known = match kind {
        RelatedEntityType::Solutions => facts.solutions.contains(identifier),
        RelatedEntityType::AwsProducts => facts.products.contains(identifier),
        _ => match seller(identifier) {
            None => return Ok(Some("Must contain the account of the seller.".to_owned())),
            Some(seller) if seller == *account => true,
            // An offer must be the account's own, also with a SUBSIDIARY connection.
            Some(_) if kind.is_offer() => return Ok(Some("Must be an offer of this account.".to_owned())),
            Some(seller) if facts.subsidiaries.contains(&seller) => true,
            Some(_) => return Err(Rule::NoSubsidiary),
        },
    };
    let text = match kind {
        RelatedEntityType::Solutions => {
            "Must be an active solution of the account. ListSolutions lists them."
        }
        _ => "Must be a product of the AWS catalog. ListProducts lists them.",
    };
    Ok((!is_known).then(|| text.to_owned()))
}

fn check_limits(related: &RelatedEntityIdentifiers, violations: &mut Vec<Violation>) {
    for kind in RelatedEntityType::ALL.iter().copied() {
        if related.identifiers(kind).len() > kind.limit() {
            let text = format!(
                "An opportunity can have at most {} entities of this type.",
                kind.limit()
            );
            check::add(violations, kind.path(), ViolationCode::TooManyValues, text);
        }
    }
    if !related.aws_marketplace_offers.is_empty() && !related.aws_marketplace_offer_sets.is_empty() {
        let text = "An opportunity can have an offer or an offer set, not both.";
        let at = RelatedEntityType::AwsMarketplaceOfferSets.path();
        check::add(violations, at, ViolationCode::InvalidValue, text);
    }
}

/// An opportunity with an offer cannot be submitted, because offers are associated after approval (OPP-047).
pub fn check_no_offers(related: &RelatedEntityIdentifiers, violations: &mut Vec<Violation>) {
    for kind in RelatedEntityType::ALL
        .iter()
        .copied()
        .filter(|kind| kind.is_offer())
    {
        if !related.identifiers(kind).is_empty() {
            let text = "Must be empty at submission. Disassociate the offer, and associate it once the opportunity is \
                        approved.";
            check::add(violations, kind.path(), ViolationCode::TooManyValues, text);
        }
    }
}

fn invalid_identifier(code: ViolationCode, text: String) -> Rule {
    let at = FieldPath::root();
    Rule::Invalid(vec![Violation::new(&at.field(IDENTIFIER), code, text)])
}
