//! The RPCs: one file each, in which the handler is the use case. Every line below names the RPC, what access it
//! needs, and its file.

mod accept;
mod accept_many;
mod convert;
mod create;
mod get;
mod get_accepted;
mod get_converted;
mod get_offer;
mod lead_add_interaction;
mod lead_assign;
mod lead_convert;
mod lead_get;
mod lead_list;
mod lead_set_state;
mod list;
mod list_offers;
mod reject;
mod status;
mod visible;

use std::sync::Arc;

use cosell_grpc::{Call, Failure, Peer, read, write};
use cosell_proto::cosell::referral::v1 as pb;
use cosell_proto::cosell::referral::v1::referral_service_server::ReferralService;
use cosell_store::{Db, Scope, Tx};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock};
use opentelemetry::KeyValue;
use tonic::{Request, Response, Status};

use crate::domain::Calendar;
use crate::domain::access::{self, Action};

pub use create::{kind, offer_to};

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) opportunity: Peer,
    pub(crate) calendar: Arc<Calendar>,
    pub(crate) tier: i32,
}

/// Whose doing it is that offers are made, end, and are handed on.
pub const PLATFORM: &str = "service:referral";

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ReferralService for Api {
    async fn create_referral(
        &self,
        request: Request<pb::CreateReferralRequest>,
    ) -> Answer<pb::CreateReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Refer), move |call| {
            create::handle(api.clone(), call)
        })
        .await
    }

    async fn get_referral(
        &self,
        request: Request<pb::GetReferralRequest>,
    ) -> Answer<pb::GetReferralResponse> {
        read(request, permit(Action::Refer), |call| get::handle(self, call)).await
    }

    async fn list_referrals(
        &self,
        request: Request<pb::ListReferralsRequest>,
    ) -> Answer<pb::ListReferralsResponse> {
        read(request, permit(Action::Refer), |call| list::handle(self, call)).await
    }

    async fn get_referral_offer(
        &self,
        request: Request<pb::GetReferralOfferRequest>,
    ) -> Answer<pb::GetReferralOfferResponse> {
        read(request, permit(Action::Answer), |call| {
            get_offer::handle(self, call)
        })
        .await
    }

    async fn list_referral_offers(
        &self,
        request: Request<pb::ListReferralOffersRequest>,
    ) -> Answer<pb::ListReferralOffersResponse> {
        read(request, permit(Action::Answer), |call| {
            list_offers::handle(self, call)
        })
        .await
    }

    async fn accept_referral(
        &self,
        request: Request<pb::AcceptReferralRequest>,
    ) -> Answer<pb::AcceptReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept::handle(api.clone(), call)
        })
        .await
    }

    async fn accept_referrals(
        &self,
        request: Request<pb::AcceptReferralsRequest>,
    ) -> Answer<pb::AcceptReferralsResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept_many::handle(api.clone(), call)
        })
        .await
    }

    async fn reject_referral(
        &self,
        request: Request<pb::RejectReferralRequest>,
    ) -> Answer<pb::RejectReferralResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            reject::handle(api.clone(), call)
        })
        .await
    }

    async fn get_accepted_opportunity(
        &self,
        request: Request<pb::GetAcceptedOpportunityRequest>,
    ) -> Answer<pb::GetAcceptedOpportunityResponse> {
        read(request, permit(Action::ReadDeal), |call| {
            get_accepted::handle(self, call)
        })
        .await
    }

    async fn get_lead(&self, request: Request<pb::GetLeadRequest>) -> Answer<pb::GetLeadResponse> {
        read(request, permit(Action::Lead), |call| lead_get::handle(self, call)).await
    }

    async fn list_leads(&self, request: Request<pb::ListLeadsRequest>) -> Answer<pb::ListLeadsResponse> {
        read(request, permit(Action::Lead), |call| {
            lead_list::handle(self, call)
        })
        .await
    }

    async fn set_lead_state(
        &self,
        request: Request<pb::SetLeadStateRequest>,
    ) -> Answer<pb::SetLeadStateResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_set_state::handle(api.clone(), call)
        })
        .await
    }

    async fn add_lead_interaction(
        &self,
        request: Request<pb::AddLeadInteractionRequest>,
    ) -> Answer<pb::AddLeadInteractionResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_add_interaction::handle(api.clone(), call)
        })
        .await
    }

    async fn assign_lead(&self, request: Request<pb::AssignLeadRequest>) -> Answer<pb::AssignLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_assign::handle(api.clone(), call)
        })
        .await
    }

    async fn convert_lead(
        &self,
        request: Request<pb::ConvertLeadRequest>,
    ) -> Answer<pb::ConvertLeadResponse> {
        let api = self.clone();
        write(request, permit(Action::Lead), move |call| {
            lead_convert::handle(api.clone(), call)
        })
        .await
    }

    async fn get_converted_lead(
        &self,
        request: Request<pb::GetConvertedLeadRequest>,
    ) -> Answer<pb::GetConvertedLeadResponse> {
        read(request, permit(Action::ReadDeal), |call| {
            get_converted::handle(self, call)
        })
        .await
    }
}

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// Counts what happened.
pub fn note(event: &str) {
    metrics::TRANSITIONS.add(1, &[KeyValue::new("transition", format!("referral.{event}"))]);
}

impl Api {
    async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }
}
