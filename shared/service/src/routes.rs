//! How the gRPC services of a context are offered.

/// Offers gRPC services on one handler, each with the limits on messages that all have (PLT-010).
#[macro_export]
macro_rules! add_services {
    ($routes:expr, $handler:expr, [$($server:ident),+ $(,)?]) => {
        $(
            $routes.add_service(
                $server::new($handler.clone())
                    .max_decoding_message_size(::cosell_grpc::MAX_REQUEST)
                    .max_encoding_message_size(::cosell_grpc::MAX_RESPONSE),
            );
        )+
    };
}
