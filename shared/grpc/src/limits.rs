//! The limits of calls (PLT-015): what one caller uses, it does not take from all others.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use cosell_types::{AccountId, Caller, CallerClass};
use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Failure;
use crate::keyed_limit::{KeyedLimit, Permit};
use crate::rpcs::RpcKind;

/// Calls of one class whose first message has not arrived. They use a stream and buffered bytes, and no permit of
/// concurrent calls.
const MAX_ARRIVING: usize = 256;
/// Bytes of first messages that are being received or decoded, of partners, AWS or services, and of one account.
const BUFFER: usize = 64 * 1024 * 1024;
const BUFFER_OF_ACCOUNT: usize = 16 * 1024 * 1024;
/// Portion of the concurrent calls of all partners that one account can use.
const ACCOUNT_PORTION: usize = 4;
/// Concurrent streams of partners, AWS or services, and of one account. They last longer than other calls.
const MAX_STREAMS: usize = 64;
const MAX_STREAMS_OF_ACCOUNT: usize = 8;
/// Concurrent calls whose token is being verified, of all clients and of one address.
const MAX_UNVERIFIED: usize = 2_048;
const MAX_UNVERIFIED_OF_ADDRESS: usize = 256;
/// Concurrent calls that need no token, of all clients and of one address: health checks and reflection, whose streams
/// stay open. A limit of their own, so that they keep no caller with a token from the same address out.
const MAX_PUBLIC: usize = 1_024;
const MAX_PUBLIC_OF_ADDRESS: usize = 128;

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
    /// This and the next limit do not apply to proxies.
    pub(crate) unverified: KeyedLimit<IpAddr>,
    pub(crate) public: KeyedLimit<IpAddr>,
    buffers: ClassLimits,
    calls: ClassLimits,
    streams: ClassLimits,
    rate: DefaultKeyedRateLimiter<AccountId, StateInformationMiddleware>,
    per_second: NonZeroU32,
    burst: NonZeroU32,
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

    fn of(&self, class: &CallerClass) -> &KeyedLimit<CallerClass> {
        match class {
            CallerClass::Partner(_) => &self.partners,
            CallerClass::Aws => &self.aws,
            CallerClass::Service => &self.services,
        }
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
            unverified: KeyedLimit::new(MAX_UNVERIFIED, MAX_UNVERIFIED_OF_ADDRESS),
            public: KeyedLimit::new(MAX_PUBLIC, MAX_PUBLIC_OF_ADDRESS),
            buffers: ClassLimits::new(BUFFER, BUFFER_OF_ACCOUNT),
            calls: ClassLimits::new(max_calls, max_calls.div_ceil(ACCOUNT_PORTION)),
            streams: ClassLimits::new(MAX_STREAMS, MAX_STREAMS_OF_ACCOUNT),
            // Only authenticated callers are counted, so that its size is bounded by the number of accounts.
            rate: RateLimiter::keyed(quota).with_middleware(),
            per_second: account_rate,
            burst,
        }
    }

    /// Admits a call whose first message has arrived.
    pub(crate) fn admit(&self, kind: Option<RpcKind>, class: &CallerClass) -> Result<CallPermit, Failure> {
        let limits = match kind {
            Some(RpcKind::Upload | RpcKind::Download | RpcKind::Stream) => &self.streams,
            Some(RpcKind::Unary) | None => &self.calls,
        };
        let permit = limits.of(class).acquire(class, 1);
        permit
            .map(|permit| CallPermit(Arc::new(permit)))
            .ok_or_else(Failure::overloaded)
    }

    /// The limit of buffered bytes for this class.
    pub(crate) fn buffer(&self, class: &CallerClass) -> &KeyedLimit<CallerClass> {
        self.buffers.of(class)
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
                let wait = until.wait_time_from(self.rate.clock().now());
                (0, Some(Failure::rate_exceeded(wait)))
            }
        };
        let per_second = self.per_second.get();
        let missing = self.burst.get().saturating_sub(remaining);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plt_015_streams_have_limits_of_their_own() {
        let limits = Limits::new(8, NonZeroU32::MIN);
        let [alder, birch] = ["111111111111", "222222222222"]
            .map(|account| CallerClass::Partner(account.parse().expect("an account")));
        let mut streams = Vec::new();
        for kind in [
            RpcKind::Upload,
            RpcKind::Download,
            RpcKind::Stream,
            RpcKind::Download,
        ]
        .repeat(2)
        {
            streams.push(limits.admit(Some(kind), &alder).expect("a permit"));
        }
        let refusal = limits
            .admit(Some(RpcKind::Download), &alder)
            .expect_err("a refusal");
        assert_eq!(refusal.reason(), "OVERLOADED");
        limits
            .admit(Some(RpcKind::Unary), &alder)
            .expect("a permit of another limit");
        for class in [birch, CallerClass::Aws, CallerClass::Service] {
            limits
                .admit(Some(RpcKind::Stream), &class)
                .expect("a permit of another caller");
        }
        streams.pop();
        limits
            .admit(Some(RpcKind::Upload), &alder)
            .expect("a released permit");
    }
}
