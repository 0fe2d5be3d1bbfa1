//! Opportunities and leads that AWS refers to a partner.

use cosell_proto::cosell::opportunity::v1::Address;
use cosell_proto::cosell::referral::v1::referral::Payload;
use cosell_proto::cosell::referral::v1::{
    AcceptReferralOfferRequest, AddLeadInteractionRequest, AssignLeadRequest, CreateReferralRequest,
    LeadDetails, LeadInteraction,
};
use cosell_testkit::harness::PeerStub;

use crate::payloads::referral_to;
use crate::scenario::{CANARY, OWNER, SUBMITTED_CANARY, Scenario};

impl Scenario<'_> {
    /// Refers an opportunity of AWS to Alder and returns the ids of the referral and its offer. No other account may
    /// learn of it.
    pub async fn refer_opportunity(&self) -> (String, String) {
        let request = CreateReferralRequest {
            referral: Some(referral_to(cosell::ALDER)),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let mut sales = self.member("aws-sales-representative").referrals();
        let created = sales.create_referral(request).await.expect("a referral");
        let created = created.into_inner().referral.expect("a referral");
        (created.referral_id, created.offers[0].referral_offer_id.clone())
    }

    /// Refers a lead of AWS to Alder, which accepts it, adds an interaction that AWS may not see, and assigns it to
    /// [`OWNER`]. Returns the lead's id.
    pub async fn create_assigned_lead(&self) -> String {
        let interaction = |customer_action: &str| LeadInteraction {
            source_type: "Event".to_owned(),
            customer_action: customer_action.to_owned(),
            ..Default::default()
        };
        let mut content = referral_to(cosell::ALDER);
        content.payload = Some(Payload::Lead(LeadDetails {
            customer_company_name: format!("{SUBMITTED_CANARY} customer"),
            address: Some(Address {
                country_code: "DE".to_owned(),
                ..Default::default()
            }),
            industry: "Retail".to_owned(),
            interactions: vec![interaction("Visited the booth")],
            ..Default::default()
        }));
        let request = CreateReferralRequest {
            referral: Some(content),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let mut sales = self.member("aws-sales-representative").referrals();
        let created = sales.create_referral(request).await.expect("a referral");
        let created = created.into_inner().referral.expect("a referral");
        let alliance_lead = self.member("alder-alliance-lead");
        let acceptance = AcceptReferralOfferRequest {
            referral_offer_id: created.offers[0].referral_offer_id.clone(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        let accepted = alliance_lead
            .referrals()
            .accept_referral_offer(acceptance)
            .await
            .expect("an acceptance");
        let lead_id = accepted.into_inner().referral_offer.expect("the offer").lead_id;
        let addition = AddLeadInteractionRequest {
            lead_id: lead_id.clone(),
            interaction: Some(interaction(&format!("{CANARY} was said"))),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        alliance_lead
            .leads()
            .add_lead_interaction(addition)
            .await
            .expect("an interaction");
        let assignment = AssignLeadRequest {
            lead_id: lead_id.clone(),
            owner_member_id: OWNER.to_owned(),
            request_id: PeerStub::id(),
            ..Default::default()
        };
        alliance_lead
            .leads()
            .assign_lead(assignment)
            .await
            .expect("an assignment");
        lead_id
    }
}
