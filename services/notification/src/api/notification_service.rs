//! The RPCs of `NotificationService`: the access that each requires, and its handler.

use cosell_grpc::{read, write};
use cosell_proto::cosell::notification::v1 as pb;
use cosell_proto::cosell::notification::v1::notification_service_server::NotificationService;
use tonic::Request;

use super::{
    Api, RpcResult, get_notification_preferences, get_unread_count, list_notifications,
    mark_notifications_read, permit, update_notification_preferences,
};
use crate::domain::access::Action;

#[tonic::async_trait]
impl NotificationService for Api {
    async fn list_notifications(
        &self,
        request: Request<pb::ListNotificationsRequest>,
    ) -> RpcResult<pb::ListNotificationsResponse> {
        read(request, permit(Action::List), |call| {
            list_notifications::handle(self, call)
        })
        .await
    }

    async fn mark_notifications_read(
        &self,
        request: Request<pb::MarkNotificationsReadRequest>,
    ) -> RpcResult<pb::MarkNotificationsReadResponse> {
        let api = self.clone();
        write(request, permit(Action::MarkNotificationsRead), move |call| {
            mark_notifications_read::handle(api.clone(), call)
        })
        .await
    }

    async fn get_unread_count(
        &self,
        request: Request<pb::GetUnreadCountRequest>,
    ) -> RpcResult<pb::GetUnreadCountResponse> {
        read(request, permit(Action::UnreadCount), |call| {
            get_unread_count::handle(self, call)
        })
        .await
    }

    async fn get_notification_preferences(
        &self,
        request: Request<pb::GetNotificationPreferencesRequest>,
    ) -> RpcResult<pb::GetNotificationPreferencesResponse> {
        read(request, permit(Action::GetNotificationPreferences), |call| {
            get_notification_preferences::handle(self, call)
        })
        .await
    }

    async fn update_notification_preferences(
        &self,
        request: Request<pb::UpdateNotificationPreferencesRequest>,
    ) -> RpcResult<pb::UpdateNotificationPreferencesResponse> {
        let api = self.clone();
        let handle = move |call| update_notification_preferences::handle(api.clone(), call);
        write(request, permit(Action::UpdateNotificationPreferences), handle).await
    }
}
