//! Closed lists of values: an enum whose members have a number on the wire, a name in storage, and the literal that
//! the original uses.

use crate::standard::plain;

/// What every closed list can do.
pub trait ClosedList: Copy + Eq + Sized + 'static {
    /// All members, in the order of their numbers.
    const ALL: &'static [Self];

    /// The number on the wire.
    fn number(self) -> i32;

    /// The name in storage and in errors; on the wire with the enum's name before it.
    fn name(self) -> &'static str;

    /// The original's literal.
    fn literal(self) -> &'static str;

    /// The member with this number.
    fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|member| member.number() == number)
    }

    /// The member with this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|member| member.name() == name)
    }

    /// The member that a person means: by its name or the original's literal, in whatever way of writing.
    fn from_text(text: &str) -> Option<Self> {
        let text = plain(text);
        let means = |name: &str| !name.is_empty() && plain(name) == text;
        let mut members = Self::ALL.iter().copied();
        members.find(|member| means(member.name()) || means(member.literal()))
    }
}

/// Defines a closed list.
#[macro_export]
macro_rules! closed_list {
    ($(#[$doc:meta])* $list:ident { $($(#[$member_doc:meta])* $member:ident = $number:literal $name:literal $literal:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $list {
            $(
                $(#[$member_doc])*
                #[doc = concat!("In the original: \"", $literal, "\".")]
                #[serde(rename = $name)]
                $member,
            )+
        }

        impl $crate::ClosedList for $list {
            const ALL: &'static [Self] = &[$($list::$member),+];

            fn number(self) -> i32 {
                match self {
                    $($list::$member => $number,)+
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $($list::$member => $name,)+
                }
            }

            fn literal(self) -> &'static str {
                match self {
                    $($list::$member => $literal,)+
                }
            }
        }
    };
}
