//! JSON of people and other systems, in which no name may be lost.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Parses JSON whose objects have no name twice. The usual parsers take the last of two values, and the other is lost
/// without a word (RFC 8259, 4). `snake_case` and `camelCase` are one name, as in the JSON form of Protocol Buffers.
pub fn parse(text: &str) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = UniqueNames.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Whether an error of [`parse`] is that of a name that an object has twice.
pub fn is_duplicate_name(error: &serde_json::Error) -> bool {
    error.is_data()
}

struct UniqueNames;

impl<'de> DeserializeSeed<'de> for UniqueNames {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueNames {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(UniqueNames)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (mut object, mut names) = (Map::new(), BTreeSet::new());
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(camel_case(&name)) {
                let shown: String = name.chars().take(MAX_ECHOED_CHARS).collect();
                return Err(A::Error::custom(format_args!("the name `{shown}` occurs twice")));
            }
            object.insert(name, map.next_value_seed(UniqueNames)?);
        }
        Ok(Value::Object(object))
    }
}

/// Characters of a name in an error.
const MAX_ECHOED_CHARS: usize = 80;

/// A name in `snake_case` in `camelCase`; any other as it is.
pub fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        text + &first.into_iter().chain(letters).collect::<String>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opp_080_json_is_read_as_it_is_written() {
        for text in [
            r#"{"a":{"b":[1,-2,2.5,null,true,"x\n\u00e9"]},"c":{},"b":18446744073709551615}"#,
            "[]",
            "\"\"",
            "0",
        ] {
            let expected: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(parse(text).expect("JSON"), expected, "{text}");
        }
        for text in ["", "{", "{} {}", "[1,]", "nul", &"[".repeat(200)] {
            let error = parse(text).expect_err("no JSON");
            assert!(!is_duplicate_name(&error), "{text}: {error}");
        }
    }

    #[test]
    fn opp_080_name_that_an_object_has_twice_is_refused() {
        for (text, name) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"x":[{"aB":1,"a_b":2}]}"#, "a_b"),
            (r#"{"x":{"a_b":1,"aB":2}}"#, "aB"),
            (r#"{"a":1,"\u0061":2}"#, "a"),
        ] {
            let error = parse(text).expect_err("a name twice");
            assert!(is_duplicate_name(&error), "{error}");
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("the name `{name}` occurs twice")),
                "{error}"
            );
        }
        let long = "n".repeat(100_000);
        let error = parse(&format!(r#"{{"{long}":1,"{long}":2}}"#)).expect_err("a name twice");
        assert!(error.to_string().len() < 200);
        assert!(parse(r#"{"a":{"x":1},"b":{"x":1},"A":1}"#).is_ok());
    }
}
