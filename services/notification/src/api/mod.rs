//! The RPCs: one file each, in which the handler is the use case. Every line below names the RPC, what access it
//! needs, and its file.

mod get_notification_preferences;
mod list;
mod mark_notifications_read;
mod status;
mod unread_count;
mod update_notification_preferences;

use cosell_grpc::{Call, Failure, etags, read, write};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_server::NotificationService;
use cosell_store::{Db, Scope, Tx};
use cosell_types::{Caller, Clock, ClosedList as _};
use tonic::{Request, Response, Status};

use crate::domain::access::{self, Action};
use crate::store::Preferences;

/// What the use cases need.
#[derive(Clone)]
pub struct Api {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl NotificationService for Api {
    async fn list_notifications(
        &self,
        request: Request<pb::ListNotificationsRequest>,
    ) -> Answer<pb::ListNotificationsResponse> {
        read(request, permit(Action::List), |call| list::handle(self, call)).await
    }

    async fn mark_notifications_read(
        &self,
        request: Request<pb::MarkNotificationsReadRequest>,
    ) -> Answer<pb::MarkNotificationsReadResponse> {
        let api = self.clone();
        write(request, permit(Action::MarkNotificationsRead), move |call| {
            mark_notifications_read::handle(api.clone(), call)
        })
        .await
    }

    async fn get_unread_count(
        &self,
        request: Request<pb::GetUnreadCountRequest>,
    ) -> Answer<pb::GetUnreadCountResponse> {
        read(request, permit(Action::UnreadCount), |call| {
            unread_count::handle(self, call)
        })
        .await
    }

    async fn get_notification_preferences(
        &self,
        request: Request<pb::GetNotificationPreferencesRequest>,
    ) -> Answer<pb::GetNotificationPreferencesResponse> {
        read(request, permit(Action::GetNotificationPreferences), |call| {
            get_notification_preferences::handle(self, call)
        })
        .await
    }

    async fn update_notification_preferences(
        &self,
        request: Request<pb::UpdateNotificationPreferencesRequest>,
    ) -> Answer<pb::UpdateNotificationPreferencesResponse> {
        let api = self.clone();
        let handle = move |call| update_notification_preferences::handle(api.clone(), call);
        write(request, permit(Action::UpdateNotificationPreferences), handle).await
    }
}

fn permit(action: Action) -> impl FnOnce(&Caller) -> bool {
    move |caller| access::permits(caller, action)
}

fn show_preferences(preferences: &Preferences) -> pb::NotificationPreferences {
    pb::NotificationPreferences {
        email_opt_outs: preferences.opt_outs.iter().map(|kind| kind.number()).collect(),
        etag: etags::of(preferences.revision),
    }
}

impl Api {
    async fn begin<M>(&self, call: &Call<M>) -> Result<Tx, Failure> {
        Ok(self.db.tx(&Scope::of(call)).await?)
    }
}
