//! The descriptors of the API.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// Decoded once: that takes as long as thousands of records.
pub static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(cosell_proto::DESCRIPTORS).unwrap_or_default());
