/// What a person wants of channels (CHN-012).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelPreferences {
    /// Whether it does not want to be asked to any.
    pub opted_out: bool,
    /// How often they were set.
    pub revision: i64,
}

impl ChannelPreferences {
    /// What follows on these.
    pub fn replaced(&self, opted_out: bool) -> Self {
        Self {
            opted_out,
            revision: self.revision + 1,
        }
    }
}
