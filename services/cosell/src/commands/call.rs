//! Calls any RPC with dynamic messages, by descriptor.

use anyhow::Context as _;
use clap::{ArgMatches, Args as _, FromArgMatches as _};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, Value};
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::refusal::explain_status;
use crate::installation::Installation;

/// Adds the options that select the installation and the caller.
pub fn connection_args(command: clap::Command) -> clap::Command {
    Installation::augment_args(command)
}

/// Calls RPCs of one installation with one token.
pub struct DynamicClient {
    channel: Channel,
    token: String,
}

impl DynamicClient {
    /// Connects to the installation that the options select.
    pub fn connect(matches: &ArgMatches) -> anyhow::Result<Self> {
        let (channel, token) = Installation::from_arg_matches(matches)?.as_member()?;
        Ok(Self { channel, token })
    }

    /// Makes a unary call.
    pub async fn call(
        &self,
        method: &MethodDescriptor,
        request: DynamicMessage,
    ) -> anyhow::Result<DynamicMessage> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.context("connecting")?;
        let mut request = Request::new(request);
        let token = format!("Bearer {}", self.token).parse()?;
        request.metadata_mut().insert("authorization", token);
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let response = grpc
            .unary(request, path.parse()?, DynamicCodec(method.output()))
            .await;
        Ok(response.map_err(|status| explain_status(&status))?.into_inner())
    }

    /// Lists at most `limit` records, page by page; all records if `limit` is 0. Also returns whether there are more.
    pub async fn list_all(
        &self,
        method: &MethodDescriptor,
        mut request: DynamicMessage,
        list: &str,
        limit: usize,
    ) -> anyhow::Result<(Vec<DynamicMessage>, bool)> {
        let mut rows = Vec::new();
        loop {
            let remaining = limit.saturating_sub(rows.len());
            let size = if limit == 0 { 100 } else { remaining.min(100) };
            request.set_field_by_name("page_size", Value::I32(i32::try_from(size)?));
            let page = self.call(method, request.clone()).await?;
            let found = page.get_field_by_name(list).context("a list")?;
            let found = found.as_list().unwrap_or_default().iter();
            rows.extend(found.filter_map(Value::as_message).cloned());
            let token = page.get_field_by_name("next_page_token").context("a token")?;
            let is_last = token.as_str().is_none_or(str::is_empty);
            if is_last || (limit > 0 && rows.len() >= limit) {
                return Ok((rows, !is_last));
            }
            request.set_field_by_name("page_token", token.into_owned());
        }
    }
}

/// A codec for responses of one message type.
#[derive(Clone, Debug)]
struct DynamicCodec(MessageDescriptor);

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = <ProstCodec<DynamicMessage, ()> as Codec>::Encoder;
    type Decoder = DynamicCodec;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<DynamicMessage, ()>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> DynamicCodec {
        self.clone()
    }
}

impl Decoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let mut message = DynamicMessage::new(self.0.clone());
        message
            .merge(source)
            .map_err(|error| Status::new(Code::Internal, error.to_string()))?;
        Ok(Some(message))
    }
}
