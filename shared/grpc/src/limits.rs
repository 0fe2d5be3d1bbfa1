//! The limits of calls (PLT-015): what one caller uses, it does not take from all others.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use cosell_types::{AccountId, Caller, CallerClass};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Failure;
use crate::keyed_limit::{KeyedLimit, Permit};
use crate::rpcs::RpcKind;

/// Calls of one class whose first message has not arrived. They occupy a stream and nothing else.
const MAX_ARRIVING: usize = 256;
/// Bytes of messages that are being received or decoded, of all calls and of one class.
const BUFFER: usize = 64 * 1024 * 1024;
const BUFFER_OF_CLASS: usize = 16 * 1024 * 1024;
/// Portion of the concurrent calls of all partners that one account can use.
const ACCOUNT_PORTION: usize = 4;
/// Concurrent streams of partners, AWS or services, and of one account. They last longer than other calls.
const MAX_STREAMS: usize = 64;
const MAX_STREAMS_OF_ACCOUNT: usize = 8;
/// Concurrent health checks and reflection streams, which need no authentication, and of one address.
const MAX_PUBLIC: usize = 512;
const MAX_PUBLIC_OF_ADDRESS: usize = 64;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The use of capacity by a call, until its answer has been sent and its use case has ended.
#[derive(Clone)]
pub(crate) struct CallPermit(
    #[expect(dead_code, reason = "held until it is dropped")] Arc<Permit<CallerClass>>,
);

impl std::fmt::Debug for CallPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallPermit")
    }
}

pub(crate) struct Limits {
    pub(crate) arriving: KeyedLimit<CallerClass>,
    pub(crate) buffer: KeyedLimit<CallerClass>,
    pub(crate) public: KeyedLimit<IpAddr>,
    calls: ClassLimits,
    streams: ClassLimits,
    rate: DefaultKeyedRateLimiter<AccountId, StateInformationMiddleware>,
    per_second: NonZeroU32,
}

/// Partners, AWS and services have a limit each, so that none waits for another.
struct ClassLimits {
    partners: KeyedLimit<CallerClass>,
    aws: KeyedLimit<CallerClass>,
    services: KeyedLimit<CallerClass>,
}

impl ClassLimits {
    fn new(total: usize, per_account: usize) -> Self {
        Self {
            partners: KeyedLimit::new(total, per_account),
            aws: KeyedLimit::new(total, total),
            services: KeyedLimit::new(total, total),
        }
    }

    fn acquire(&self, class: &CallerClass) -> Option<CallPermit> {
        let limit = match class {
            CallerClass::Partner(_) => &self.partners,
            CallerClass::Aws => &self.aws,
            CallerClass::Service => &self.services,
        };
        limit.acquire(class, 1).map(|permit| CallPermit(Arc::new(permit)))
    }
}

impl Limits {
    /// At most `max_calls` concurrent calls of partners, of AWS and of services each, and `account_rate` calls per
    /// second of an account.
    pub(crate) fn new(max_calls: usize, account_rate: NonZeroU32) -> Self {
        let burst = account_rate.saturating_add(account_rate.get());
        let quota = Quota::per_second(account_rate).allow_burst(burst);
        Self {
            arriving: KeyedLimit::new(usize::MAX, MAX_ARRIVING),
            buffer: KeyedLimit::new(BUFFER, BUFFER_OF_CLASS),
            public: KeyedLimit::new(MAX_PUBLIC, MAX_PUBLIC_OF_ADDRESS),
            calls: ClassLimits::new(max_calls, max_calls.div_ceil(ACCOUNT_PORTION)),
            streams: ClassLimits::new(MAX_STREAMS, MAX_STREAMS_OF_ACCOUNT),
            // Only authenticated callers are counted, so that its size is bounded by the number of accounts.
            rate: RateLimiter::keyed(quota).with_middleware(),
            per_second: account_rate,
        }
    }

    /// Admits a call whose first message has arrived.
    pub(crate) fn admit(&self, kind: Option<RpcKind>, class: &CallerClass) -> Result<CallPermit, Failure> {
        let limits = match kind {
            Some(RpcKind::Upload | RpcKind::Stream) => &self.streams,
            Some(RpcKind::Unary) | None => &self.calls,
        };
        limits.acquire(class).ok_or_else(Failure::overloaded)
    }

    /// Counts a call of the caller's account. Writes the state of the account's quota to the trailers of the answer.
    /// Services have no quota.
    pub(crate) fn count(&self, caller: &Caller, trailers: &mut HeaderMap) -> Result<(), Failure> {
        let Some(account) = caller.account() else {
            return Ok(());
        };
        let (remaining, refusal) = match self.rate.check_key(account) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                (0, Some(Failure::rate_exceeded(wait)))
            }
        };
        let per_second = self.per_second.get();
        let missing = (per_second.saturating_mul(2)).saturating_sub(remaining);
        for (name, value) in [
            (LIMIT, per_second),
            (REMAINING, remaining),
            (RESET, missing.div_ceil(per_second)),
        ] {
            trailers.insert(name, HeaderValue::from(value));
        }
        refusal.map_or(Ok(()), Err)
    }
}
