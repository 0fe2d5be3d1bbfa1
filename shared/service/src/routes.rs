//! The gRPC services of a process.

use std::convert::Infallible;

use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};

/// The gRPC services of a process, with their names.
#[derive(Default)]
pub struct GrpcServices {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
}

impl GrpcServices {
    /// Adds a service. Use [`add_services!`](crate::add_services), which sets the message size limits.
    pub fn add<S>(&mut self, server: S)
    where
        S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(server);
    }

    /// The full names of the services, in the order in which they were added.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    pub(crate) fn into_routes(self) -> Routes {
        self.routes.routes()
    }
}

/// Adds gRPC services that one handler implements, with the common message size limits (PLT-010).
#[macro_export]
macro_rules! add_services {
    ($services:expr, $handler:expr, [$($server:ident),+ $(,)?]) => {
        $(
            $services.add(
                $server::new($handler.clone())
                    .max_decoding_message_size(::cosell_grpc::MAX_REQUEST)
                    .max_encoding_message_size(::cosell_grpc::MAX_RESPONSE),
            );
        )+
    };
}
