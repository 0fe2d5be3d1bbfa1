//! Solutions, products and offers of a deal (OPP-045 to OPP-048).

use chrono::{DateTime, Utc};
use cosell_types::{AccountId, ClosedList as _, FieldPath, MemberId, Violation, ViolationCode};

use super::opportunity::none;
use super::values::{RelatedEntityType, ReviewStatus, Stage};
use super::{Event, Facts, Opportunity, RelatedEntityIdentifiers, Rule, check};

const IDENTIFIER: &str = "entity_identifier";

impl Opportunity {
    /// Adds an entity to the deal. `None` when it is there already (OPP-045).
    pub fn associate(
        &mut self,
        by: &MemberId,
        kind: RelatedEntityType,
        identifier: &str,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        self.can_be_associated(kind)?;
        if !kind.fits(identifier) {
            let text = format!("must be {}", kind.form());
            return Err(wrong(ViolationCode::InvalidStringFormat, text));
        }
        let related = &self.details.related_entity_identifiers;
        if related.of(kind).iter().any(|known| known == identifier) {
            return Ok(None);
        }
        let mut more = related.clone();
        more.of_mut(kind).push(identifier.to_owned());
        let mut found = Vec::new();
        limits(&more, &mut found);
        unknown(kind, identifier, &self.account, facts)?
            .into_iter()
            .for_each(|text| {
                found.push(Violation::new(
                    &FieldPath::root(),
                    ViolationCode::InvalidValue,
                    text,
                ));
            });
        let found = found.into_iter().map(|violation| Violation {
            field: IDENTIFIER.to_owned(),
            ..violation
        });
        none(found.collect())?;
        self.details.related_entity_identifiers = more;
        self.step(Some(by), now);
        Ok(Some(Event::Related(kind)))
    }

    /// Takes an entity away from the deal. `None` when it is not there (OPP-045).
    pub fn disassociate(
        &mut self,
        by: &MemberId,
        kind: RelatedEntityType,
        identifier: &str,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, Rule> {
        self.can_be_associated(kind)?;
        let mut details = self.details.clone();
        let rest = details.related_entity_identifiers.of_mut(kind);
        let before = rest.len();
        rest.retain(|known| known != identifier);
        if rest.len() == before {
            return Ok(None);
        }
        if self.review.status == ReviewStatus::Approved {
            let mut found = Vec::new();
            self.check_solution(&details, facts, &mut found);
            if !found.is_empty() {
                let text = "is the last solution of a deal that needs one: add another one first";
                return Err(wrong(ViolationCode::NotEnoughValues, text.to_owned()));
            }
        }
        self.details = details;
        self.step(Some(by), now);
        Ok(Some(Event::Related(kind)))
    }

    /// Whether entities of a type can be added to the deal and taken away now (OPP-045).
    pub fn can_be_associated(&self, kind: RelatedEntityType) -> Result<(), Rule> {
        let is_at_the_partner = matches!(
            self.review.status,
            ReviewStatus::PendingSubmission | ReviewStatus::ActionRequired | ReviewStatus::Approved
        );
        let is_lost = self.details.life_cycle.stage == Stage::ClosedLost;
        self.possible(
            is_at_the_partner && !(is_lost && kind.is_offer()),
            "ASSOCIATE_ENTITY",
        )
    }
}

impl RelatedEntityIdentifiers {
    /// The entities of a type.
    pub fn of(&self, kind: RelatedEntityType) -> &[String] {
        match kind {
            RelatedEntityType::Solutions => &self.solutions,
            RelatedEntityType::AwsProducts => &self.aws_products,
            RelatedEntityType::AwsMarketplaceSolutions => &self.aws_marketplace_solutions,
            RelatedEntityType::AwsMarketplaceProducts => &self.aws_marketplace_products,
            RelatedEntityType::AwsMarketplaceOffers => &self.aws_marketplace_offers,
            RelatedEntityType::AwsMarketplaceOfferSets => &self.aws_marketplace_offer_sets,
        }
    }

    /// The same, to change them.
    pub fn of_mut(&mut self, kind: RelatedEntityType) -> &mut Vec<String> {
        match kind {
            RelatedEntityType::Solutions => &mut self.solutions,
            RelatedEntityType::AwsProducts => &mut self.aws_products,
            RelatedEntityType::AwsMarketplaceSolutions => &mut self.aws_marketplace_solutions,
            RelatedEntityType::AwsMarketplaceProducts => &mut self.aws_marketplace_products,
            RelatedEntityType::AwsMarketplaceOffers => &mut self.aws_marketplace_offers,
            RelatedEntityType::AwsMarketplaceOfferSets => &mut self.aws_marketplace_offer_sets,
        }
    }

    /// The offer or offer set of the deal, which no other deal of the account has (OPP-047).
    pub fn offer(&self) -> Option<&str> {
        let mut offers = self
            .aws_marketplace_offers
            .iter()
            .chain(&self.aws_marketplace_offer_sets);
        offers.next().map(String::as_str)
    }

    /// What another deal can take over: no offers, and of solutions and products those that are still known (OPP-037).
    pub fn for_another(&self, account: &AccountId, facts: &Facts<'_>) -> Self {
        let named = |all: &[String]| {
            let is_known = |arn: &&String| {
                seller(arn).is_some_and(|seller| seller == *account || facts.subsidiaries.contains(&seller))
            };
            all.iter().filter(is_known).cloned().collect()
        };
        let known = |all: &[String], of: &std::collections::BTreeSet<String>| {
            all.iter().filter(|one| of.contains(*one)).cloned().collect()
        };
        Self {
            solutions: known(&self.solutions, &facts.solutions),
            aws_products: known(&self.aws_products, &facts.products),
            aws_marketplace_solutions: named(&self.aws_marketplace_solutions),
            aws_marketplace_products: named(&self.aws_marketplace_products),
            aws_marketplace_offers: Vec::new(),
            aws_marketplace_offer_sets: Vec::new(),
        }
    }
}

impl RelatedEntityType {
    /// How many of it a deal can have.
    pub fn limit(self) -> usize {
        match self {
            RelatedEntityType::Solutions
            | RelatedEntityType::AwsMarketplaceSolutions
            | RelatedEntityType::AwsMarketplaceProducts => 10,
            RelatedEntityType::AwsProducts => 20,
            RelatedEntityType::AwsMarketplaceOffers | RelatedEntityType::AwsMarketplaceOfferSets => 1,
        }
    }

    /// Whether it is an offer or a set of offers.
    pub fn is_offer(self) -> bool {
        matches!(
            self,
            RelatedEntityType::AwsMarketplaceOffers | RelatedEntityType::AwsMarketplaceOfferSets
        )
    }

    /// Path of the list in a record.
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

    /// The ends of the ARNs of a type: what it is called in them, and how its ids begin.
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

    /// Whether an identifier has the form of the type.
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
                is_id && parts.next() == Some(*resource) && is_of_marketplace(identifier)
            }),
        }
    }

    /// The form, in words.
    fn form(self) -> String {
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

fn is_of_marketplace(arn: &str) -> bool {
    let mut parts = arn.split(':');
    let partition = (parts.next() == Some("arn")).then(|| parts.next()).flatten();
    partition.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    }) && parts.next() == Some("aws-marketplace")
}

/// Whose an entity at AWS Marketplace is.
fn seller(arn: &str) -> Option<AccountId> {
    arn.split(':').nth(4)?.parse().ok()
}

/// What is wrong with the entities that a new record names (OPP-045 to OPP-048).
pub fn entities(
    related: &RelatedEntityIdentifiers,
    account: &AccountId,
    facts: &Facts<'_>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    limits(related, &mut found);
    for kind in RelatedEntityType::ALL.iter().copied() {
        for (index, identifier) in related.of(kind).iter().enumerate() {
            let text = match unknown(kind, identifier, account, facts) {
                Ok(text) => text,
                Err(_) => Some(NO_SUBSIDIARY.to_owned()),
            };
            if let Some(text) = text {
                let at = format!("{}[{index}]", kind.path());
                check::add(&mut found, &at, ViolationCode::InvalidValue, text);
            }
        }
    }
    found
}

const NO_SUBSIDIARY: &str = "belongs to an account with which no SUBSIDIARY connection is in force";

/// What is wrong with an identifier that has the right form.
fn unknown(
    kind: RelatedEntityType,
    identifier: &str,
    account: &AccountId,
    facts: &Facts<'_>,
) -> Result<Option<String>, Rule> {
    let is_known = match kind {
        RelatedEntityType::Solutions => facts.solutions.contains(identifier),
        RelatedEntityType::AwsProducts => facts.products.contains(identifier),
        _ => match seller(identifier) {
            None => return Ok(Some("must name the account of the seller".to_owned())),
            Some(seller) if seller == *account => true,
            // An offer is the seller's own.
            Some(_) if kind.is_offer() => return Ok(Some("is an offer of another account".to_owned())),
            Some(seller) if facts.subsidiaries.contains(&seller) => true,
            Some(_) => return Err(Rule::NoSubsidiary),
        },
    };
    let list = match kind {
        RelatedEntityType::Solutions => "is no active solution of the account; ListSolutions lists them",
        _ => "is no product of AWS; ListProducts lists them",
    };
    Ok((!is_known).then(|| list.to_owned()))
}

fn limits(related: &RelatedEntityIdentifiers, found: &mut Vec<Violation>) {
    for kind in RelatedEntityType::ALL.iter().copied() {
        if related.of(kind).len() > kind.limit() {
            let text = format!(
                "the opportunity has {} already, and can have no more",
                kind.limit()
            );
            check::add(found, kind.path(), ViolationCode::TooManyValues, text);
        }
    }
    if !related.aws_marketplace_offers.is_empty() && !related.aws_marketplace_offer_sets.is_empty() {
        let text = "an opportunity has an offer or an offer set, not both";
        let at = RelatedEntityType::AwsMarketplaceOfferSets.path();
        check::add(found, at, ViolationCode::InvalidValue, text);
    }
}

/// Offers are made for validated deals, and wait until then (OPP-047).
pub fn no_offer(related: &RelatedEntityIdentifiers, found: &mut Vec<Violation>) {
    for kind in RelatedEntityType::ALL
        .iter()
        .copied()
        .filter(|kind| kind.is_offer())
    {
        if !related.of(kind).is_empty() {
            let text = "cannot be submitted with an offer: disassociate it, and associate it once the deal is approved";
            check::add(found, kind.path(), ViolationCode::TooManyValues, text);
        }
    }
}

fn wrong(code: ViolationCode, text: String) -> Rule {
    let at = FieldPath::root();
    Rule::Invalid(vec![Violation::new(&at.field(IDENTIFIER), code, text)])
}
