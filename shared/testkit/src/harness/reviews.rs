use cosell_proto::cosell::review::v1 as review;
use cosell_proto::cosell::review::v1::review_service_server::{ReviewService, ReviewServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A stub of the review service for its peers: the review comments of decided cases.
#[derive(Debug)]
struct ReviewStub(&'static str);

/// Starts a stub that answers `GetReviewCase` of authenticated callers with a case of two rounds, both decided with
/// these review comments. Returns its address; it runs until the end of the test.
pub async fn reviews(review_comments: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tonic::transport::Server::builder()
        .add_service(ReviewServiceServer::new(ReviewStub(review_comments)));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

#[tonic::async_trait]
impl ReviewService for ReviewStub {
    async fn list_review_cases(
        &self,
        _: Request<review::ListReviewCasesRequest>,
    ) -> Result<Response<review::ListReviewCasesResponse>, Status> {
        Err(Status::unimplemented("not supported by the stub"))
    }

    async fn get_review_case(
        &self,
        request: Request<review::GetReviewCaseRequest>,
    ) -> Result<Response<review::GetReviewCaseResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("the caller has no token"));
        }
        let round = |round| review::ReviewRound {
            round,
            review_comments: self.0.to_owned(),
            ..Default::default()
        };
        let case = review::ReviewCase {
            rounds: vec![round(1), round(2)],
            ..Default::default()
        };
        Ok(Response::new(review::GetReviewCaseResponse {
            review_case: Some(case),
        }))
    }

    async fn claim_review_case(
        &self,
        _: Request<review::ClaimReviewCaseRequest>,
    ) -> Result<Response<review::ClaimReviewCaseResponse>, Status> {
        Err(Status::unimplemented("not supported by the stub"))
    }

    async fn start_review(
        &self,
        _: Request<review::StartReviewRequest>,
    ) -> Result<Response<review::StartReviewResponse>, Status> {
        Err(Status::unimplemented("not supported by the stub"))
    }

    async fn decide_review(
        &self,
        _: Request<review::DecideReviewRequest>,
    ) -> Result<Response<review::DecideReviewResponse>, Status> {
        Err(Status::unimplemented("not supported by the stub"))
    }
}
