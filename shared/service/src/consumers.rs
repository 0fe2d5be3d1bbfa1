use std::sync::Arc;

use cosell_events::{Handler, redrive};
use futures::future::BoxFuture;

use crate::Background;

/// The consumers of a service. Declared once: `serve` starts all of them, `redrive` selects one by name.
pub struct Consumers {
    service: &'static str,
    declared: Vec<Box<dyn DeclaredConsumer>>,
}

impl Consumers {
    /// Declares no consumers.
    pub fn new(service: &'static str) -> Self {
        Self {
            service,
            declared: Vec::new(),
        }
    }

    /// Declares the consumer `<service>-<context>`, which applies the events of a context.
    #[must_use]
    pub fn with<H: Handler>(mut self, context: &'static str, handler: H) -> Self {
        let handler = Arc::new(handler);
        self.declared.push(Box::new(TypedConsumer { context, handler }));
        self
    }

    pub(crate) fn start(&self, background: &Background) {
        for consumer in &self.declared {
            consumer.start(background, self.service);
        }
    }

    /// Redrives the dead letters of a consumer, of one aggregate or of all. Returns how many were applied.
    pub async fn redrive(
        &self,
        background: &Background,
        consumer: &str,
        aggregate: Option<&str>,
    ) -> anyhow::Result<u64> {
        let name = |declared: &dyn DeclaredConsumer| format!("{}-{}", self.service, declared.context());
        let matching = self
            .declared
            .iter()
            .find(|declared| name(declared.as_ref()) == consumer);
        let Some(declared) = matching else {
            let names: Vec<_> = self
                .declared
                .iter()
                .map(|declared| name(declared.as_ref()))
                .collect();
            anyhow::bail!(
                "unknown consumer {consumer}; this service has: {}",
                names.join(", ")
            );
        };
        declared.redrive(background, consumer, aggregate).await
    }
}

/// A declared consumer, independent of the type of its handler.
trait DeclaredConsumer: Send + Sync {
    fn context(&self) -> &'static str;
    fn start(&self, background: &Background, service: &'static str);
    fn redrive<'a>(
        &'a self,
        background: &'a Background,
        consumer: &'a str,
        aggregate: Option<&'a str>,
    ) -> BoxFuture<'a, anyhow::Result<u64>>;
}

struct TypedConsumer<H> {
    context: &'static str,
    handler: Arc<H>,
}

impl<H: Handler> DeclaredConsumer for TypedConsumer<H> {
    fn context(&self) -> &'static str {
        self.context
    }

    fn start(&self, background: &Background, service: &'static str) {
        background.consume(service, self.context, self.handler.clone());
    }

    fn redrive<'a>(
        &'a self,
        background: &'a Background,
        consumer: &'a str,
        aggregate: Option<&'a str>,
    ) -> BoxFuture<'a, anyhow::Result<u64>> {
        let database = &background.database;
        let redriven = redrive(
            &database.work,
            &database.events,
            consumer,
            aggregate,
            &*self.handler,
        );
        Box::pin(redriven)
    }
}
