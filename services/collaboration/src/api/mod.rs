//! The RPCs: one file each, in which the handler is the use case. Every line below names the RPC, what access it
//! needs, and its file.

mod accept;
pub mod convert;
mod create_context;
mod create_job;
mod decline;
mod delete_job;
mod get;
mod get_invitation;
mod get_job;
mod get_snapshot;
mod leave;
mod list;
mod list_invitations;
mod list_jobs;
mod list_members;
mod list_resources;
mod list_snapshots;
mod remove_member;
mod share;
mod start_job;
mod status;
mod stop_job;
mod update_context;
mod visible;
mod withdraw;

use chrono::{DateTime, Utc};
use cosell_events::Cause;
use cosell_grpc::{Call, Failure, Peer, etags, read, write};
use cosell_proto::Mutation;
use cosell_proto::cosell::collaboration::v1 as pb;
use cosell_proto::cosell::collaboration::v1::collaboration_service_server::CollaborationService;
use cosell_proto::cosell::collaboration::v1::snapshot_service_server::SnapshotService;
use cosell_store::{Claim, Db, Scope, Tx, claim};
use cosell_telemetry::metrics;
use cosell_types::{Caller, Clock, Member};
use opentelemetry::KeyValue;
use tonic::{Request, Response, Status};

use crate::domain::access::{self, Action};
use crate::domain::{Engagement, EngagementEvent, Invitation, InvitationEvent, Rule, SnapshotJob};
use crate::store;

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) opportunity: Peer,
    pub(crate) directory: Peer,
    /// Days in which an invitation can be answered.
    pub(crate) days: u32,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl CollaborationService for Api {
    async fn share_opportunity(
        &self,
        request: Request<pb::ShareOpportunityRequest>,
    ) -> Answer<pb::ShareOpportunityResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            share::handle(api.clone(), call)
        })
        .await
    }

    async fn get_engagement_invitation(
        &self,
        request: Request<pb::GetEngagementInvitationRequest>,
    ) -> Answer<pb::GetEngagementInvitationResponse> {
        read(request, permit(Action::Read), |call| {
            get_invitation::handle(self, call)
        })
        .await
    }

    async fn list_engagement_invitations(
        &self,
        request: Request<pb::ListEngagementInvitationsRequest>,
    ) -> Answer<pb::ListEngagementInvitationsResponse> {
        read(request, permit(Action::ListInvitations), |call| {
            list_invitations::handle(self, call)
        })
        .await
    }

    async fn accept_engagement_invitation(
        &self,
        request: Request<pb::AcceptEngagementInvitationRequest>,
    ) -> Answer<pb::AcceptEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            accept::handle(api.clone(), call)
        })
        .await
    }

    async fn decline_engagement_invitation(
        &self,
        request: Request<pb::DeclineEngagementInvitationRequest>,
    ) -> Answer<pb::DeclineEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Answer), move |call| {
            decline::handle(api.clone(), call)
        })
        .await
    }

    async fn withdraw_engagement_invitation(
        &self,
        request: Request<pb::WithdrawEngagementInvitationRequest>,
    ) -> Answer<pb::WithdrawEngagementInvitationResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            withdraw::handle(api.clone(), call)
        })
        .await
    }

    async fn get_engagement(
        &self,
        request: Request<pb::GetEngagementRequest>,
    ) -> Answer<pb::GetEngagementResponse> {
        read(request, permit(Action::Read), |call| get::handle(self, call)).await
    }

    async fn list_engagements(
        &self,
        request: Request<pb::ListEngagementsRequest>,
    ) -> Answer<pb::ListEngagementsResponse> {
        read(request, permit(Action::Read), |call| list::handle(self, call)).await
    }

    async fn list_engagement_members(
        &self,
        request: Request<pb::ListEngagementMembersRequest>,
    ) -> Answer<pb::ListEngagementMembersResponse> {
        read(request, permit(Action::Read), |call| {
            list_members::handle(self, call)
        })
        .await
    }

    async fn create_engagement_context(
        &self,
        request: Request<pb::CreateEngagementContextRequest>,
    ) -> Answer<pb::CreateEngagementContextResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            create_context::handle(api.clone(), call)
        })
        .await
    }

    async fn update_engagement_context(
        &self,
        request: Request<pb::UpdateEngagementContextRequest>,
    ) -> Answer<pb::UpdateEngagementContextResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            update_context::handle(api.clone(), call)
        })
        .await
    }

    async fn leave_engagement(
        &self,
        request: Request<pb::LeaveEngagementRequest>,
    ) -> Answer<pb::LeaveEngagementResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            leave::handle(api.clone(), call)
        })
        .await
    }

    async fn remove_engagement_member(
        &self,
        request: Request<pb::RemoveEngagementMemberRequest>,
    ) -> Answer<pb::RemoveEngagementMemberResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            remove_member::handle(api.clone(), call)
        })
        .await
    }
}

#[tonic::async_trait]
impl SnapshotService for Api {
    async fn get_resource_snapshot(
        &self,
        request: Request<pb::GetResourceSnapshotRequest>,
    ) -> Answer<pb::GetResourceSnapshotResponse> {
        read(request, permit(Action::Read), |call| {
            get_snapshot::handle(self, call)
        })
        .await
    }

    async fn list_resource_snapshots(
        &self,
        request: Request<pb::ListResourceSnapshotsRequest>,
    ) -> Answer<pb::ListResourceSnapshotsResponse> {
        read(request, permit(Action::Read), |call| {
            list_snapshots::handle(self, call)
        })
        .await
    }

    async fn list_engagement_resources(
        &self,
        request: Request<pb::ListEngagementResourcesRequest>,
    ) -> Answer<pb::ListEngagementResourcesResponse> {
        read(request, permit(Action::Read), |call| {
            list_resources::handle(self, call)
        })
        .await
    }

    async fn create_snapshot_job(
        &self,
        request: Request<pb::CreateSnapshotJobRequest>,
    ) -> Answer<pb::CreateSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            create_job::handle(api.clone(), call)
        })
        .await
    }

    async fn get_snapshot_job(
        &self,
        request: Request<pb::GetSnapshotJobRequest>,
    ) -> Answer<pb::GetSnapshotJobResponse> {
        read(request, permit(Action::Work), |call| get_job::handle(self, call)).await
    }

    async fn list_snapshot_jobs(
        &self,
        request: Request<pb::ListSnapshotJobsRequest>,
    ) -> Answer<pb::ListSnapshotJobsResponse> {
        read(request, permit(Action::Work), |call| {
            list_jobs::handle(self, call)
        })
        .await
    }

    async fn start_snapshot_job(
        &self,
        request: Request<pb::StartSnapshotJobRequest>,
    ) -> Answer<pb::StartSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            start_job::handle(api.clone(), call)
        })
        .await
    }

    async fn stop_snapshot_job(
        &self,
        request: Request<pb::StopSnapshotJobRequest>,
    ) -> Answer<pb::StopSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            stop_job::handle(api.clone(), call)
        })
        .await
    }

    async fn delete_snapshot_job(
        &self,
        request: Request<pb::DeleteSnapshotJobRequest>,
    ) -> Answer<pb::DeleteSnapshotJobResponse> {
        let api = self.clone();
        write(request, permit(Action::Work), move |call| {
            delete_job::handle(api.clone(), call)
        })
        .await
    }
}

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

/// Counts what happened.
pub fn note(event: &str) {
    let transition = format!("collaboration.{event}");
    metrics::TRANSITIONS.add(1, &[KeyValue::new("transition", transition)]);
}

impl Api {
    async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }

    fn cause<'a, M>(&self, call: &'a Call<M>, actor: &'a str) -> Cause<'a> {
        Cause {
            actor,
            request_id: &call.tag.request_id,
            time: self.clock.now(),
        }
    }

    /// Makes what was written durable, unless the call only asked whether it would work.
    async fn conclude<M: Mutation>(&self, tx: Tx, call: &Call<M>, happened: &[&str]) -> Result<(), Failure> {
        if call.message.validate_only() {
            return Ok(());
        }
        tx.commit().await?;
        for event in happened {
            note(event);
        }
        Ok(())
    }

    /// An invitation was declined or taken back: both are written, and made durable.
    async fn ended<M: Mutation>(
        &self,
        mut tx: Tx,
        call: &Call<M>,
        mut engagement: Engagement,
        invitation: &Invitation,
        event: InvitationEvent,
    ) -> Result<(), Failure> {
        let actor = call.caller.actor();
        let cause = self.cause(call, &actor);
        let by = Some(call.member()?.account.clone());
        let happened: Vec<_> = engagement
            .invitation_ended(invitation, by, cause.time)
            .into_iter()
            .collect();
        store::save_invitation(&mut tx, invitation, event, cause).await?;
        store::save_engagement(&mut tx, &engagement, &happened, cause).await?;
        let mut names = vec![event.name()];
        names.extend(happened.iter().map(EngagementEvent::name));
        self.conclude(tx, call, &names).await
    }

    /// Changes an engagement that the caller's company is part of; none is nothing to change.
    async fn change<M: Mutation>(
        &self,
        call: &Call<M>,
        (id, etag): (&str, &str),
        change: impl FnOnce(&mut Engagement, &Member, DateTime<Utc>) -> Result<Option<EngagementEvent>, Failure>,
    ) -> Result<Engagement, Failure> {
        let mut tx = self.begin(call).await?;
        let claimed = claim(&mut tx, call, id).await?;
        let seen = visible::engagement(&mut tx, call, id).await?;
        if claimed != Claim::New {
            return Ok(seen);
        }
        let held = store::lock_engagement(&mut tx, seen.account(), seen.id()).await?;
        let mut engagement = held.ok_or_else(|| status::engagement_not_found(id))?;
        let member = call.member()?;
        // What it was part of a moment ago it may not be part of any more.
        if !access::sees(member, &engagement) {
            return Err(status::engagement_not_found(id));
        }
        etags::check(etag, engagement.revision())?;
        let actor = call.caller.actor();
        let cause = self.cause(call, &actor);
        if let Some(event) = change(&mut engagement, member, cause.time)? {
            let name = event.name();
            store::save_engagement(&mut tx, &engagement, &[event], cause).await?;
            self.conclude(tx, call, &[name]).await?;
        }
        Ok(engagement)
    }

    /// Changes a job of the caller's account.
    async fn change_job<M: Mutation>(
        &self,
        call: &Call<M>,
        (id, etag): (&str, &str),
        change: impl FnOnce(&mut SnapshotJob, DateTime<Utc>) -> Result<(), Rule>,
    ) -> Result<SnapshotJob, Failure> {
        let mut tx = self.begin(call).await?;
        let claimed = claim(&mut tx, call, id).await?;
        let seen = visible::job(&mut tx, call, id).await?;
        if claimed != Claim::New {
            return Ok(seen);
        }
        let account = &seen.subject().account;
        tx.act_for(&Scope::account(account)).await?;
        let held = store::lock_job(&mut tx, account, seen.id()).await?;
        let mut job = held.ok_or_else(|| status::job_not_found(id))?;
        etags::check(etag, job.revision())?;
        change(&mut job, self.clock.now()).map_err(status::broken)?;
        store::save_job(&mut tx, &job).await?;
        self.conclude(tx, call, &["snapshot_job_changed"]).await?;
        Ok(job)
    }
}
