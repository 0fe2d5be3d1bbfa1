//! Calls whose requests and answers are known by their definitions alone.

use anyhow::Context as _;
use clap::{ArgMatches, Args as _, FromArgMatches as _};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, Value};
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::refusal::explained;
use crate::installation::Installation;

/// Adds the options that say where to call, and as whom.
pub fn connection_args(command: clap::Command) -> clap::Command {
    Installation::augment_args(command)
}

/// An installation, and the token to call it with.
pub struct Calls {
    channel: Channel,
    token: String,
}

impl Calls {
    /// As the options say.
    pub fn open(matches: &ArgMatches) -> anyhow::Result<Self> {
        let (channel, token) = Installation::from_arg_matches(matches)?.as_member()?;
        Ok(Self { channel, token })
    }

    /// Makes a call.
    pub async fn one(
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
        let answer = grpc.unary(request, path.parse()?, Dynamic(method.output())).await;
        Ok(answer.map_err(|status| explained(&status))?.into_inner())
    }

    /// Lists records, page by page, at most so many; all of them when the limit is 0.
    pub async fn pages(
        &self,
        method: &MethodDescriptor,
        mut request: DynamicMessage,
        list: &str,
        limit: usize,
    ) -> anyhow::Result<Vec<DynamicMessage>> {
        let mut rows = Vec::new();
        loop {
            let left = limit.saturating_sub(rows.len());
            let size = if limit == 0 { 100 } else { left.min(100) };
            request.set_field_by_name("page_size", Value::I32(i32::try_from(size)?));
            let page = self.one(method, request.clone()).await?;
            let found = page.get_field_by_name(list).context("a list")?;
            let found = found.as_list().unwrap_or_default().iter();
            rows.extend(found.filter_map(Value::as_message).cloned());
            let token = page.get_field_by_name("next_page_token").context("a token")?;
            let is_last = token.as_str().is_none_or(str::is_empty);
            if is_last || (limit > 0 && rows.len() >= limit) {
                return Ok(rows);
            }
            request.set_field_by_name("page_token", token.into_owned());
        }
    }
}

/// Messages of one definition.
#[derive(Clone, Debug)]
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = <ProstCodec<DynamicMessage, ()> as Codec>::Encoder;
    type Decoder = Dynamic;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<DynamicMessage, ()>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> Dynamic {
        self.clone()
    }
}

impl Decoder for Dynamic {
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
