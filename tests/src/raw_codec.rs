//! A gRPC codec that returns responses as raw bytes, so that tests can search them for any text.

use bytes::{Buf as _, Bytes};
use prost_reflect::DynamicMessage;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstCodec;

/// Encodes dynamic messages and leaves responses undecoded.
#[derive(Clone, Copy, Debug)]
pub struct RawCodec;

impl Codec for RawCodec {
    type Encode = DynamicMessage;
    type Decode = Bytes;
    type Encoder = <ProstCodec<DynamicMessage, ()> as Codec>::Encoder;
    type Decoder = RawCodec;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<DynamicMessage, ()>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> RawCodec {
        RawCodec
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}
