//! Closed lists: enums whose variants have a number on the wire, a name in storage, and a literal in AWS Partner
//! Central.

use crate::standard::normalize;

/// An enum of a closed list. Implemented by [`closed_list!`](crate::closed_list).
pub trait ClosedList: Copy + Eq + Sized + 'static {
    /// All variants, in the order of their numbers.
    const ALL: &'static [Self];

    /// The number of the proto enum value.
    fn number(self) -> i32;

    /// The name in storage and in errors; the name of the proto enum value without the prefix.
    fn name(self) -> &'static str;

    /// The literal of AWS Partner Central; empty if there is none.
    fn literal(self) -> &'static str;

    /// The variant with this number.
    fn from_number(number: i32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|variant| variant.number() == number)
    }

    /// The variant with this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variant| variant.name() == name)
    }

    /// The variant with this name or AWS Partner Central literal, in any spelling that [`normalize`] normalizes.
    fn from_text(text: &str) -> Option<Self> {
        let text = normalize(text);
        let is_match = |name: &str| !name.is_empty() && normalize(name) == text;
        let mut variants = Self::ALL.iter().copied();
        variants.find(|variant| is_match(variant.name()) || is_match(variant.literal()))
    }
}

/// Defines the enum of a closed list: variants with number, name, and AWS Partner Central literal (may be empty).
#[macro_export]
macro_rules! closed_list {
    ($(#[$doc:meta])* $list:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $name:literal $literal:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $list {
            $(
                $(#[$variant_doc])*
                #[doc = concat!("In AWS Partner Central: \"", $literal, "\".")]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        impl $crate::ClosedList for $list {
            const ALL: &'static [Self] = &[$($list::$variant),+];

            fn number(self) -> i32 {
                match self {
                    $($list::$variant => $number,)+
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $($list::$variant => $name,)+
                }
            }

            fn literal(self) -> &'static str {
                match self {
                    $($list::$variant => $literal,)+
                }
            }
        }
    };
}
