//! The descriptors of all messages, for records in JSON.

use std::sync::LazyLock;

use anyhow::anyhow;
use prost_reflect::{DescriptorError, DescriptorPool};

/// Decoded once: it takes as long as thousands of records.
static POOL: LazyLock<Result<DescriptorPool, DescriptorError>> =
    LazyLock::new(|| DescriptorPool::decode(cosell_proto::DESCRIPTORS));

pub fn descriptor_pool() -> anyhow::Result<&'static DescriptorPool> {
    POOL.as_ref()
        .map_err(|error| anyhow!("decoding the descriptors: {error}"))
}
