//! Nothing: what counts are the dependencies in `Cargo.toml`, which `cargo hakari generate` writes.
