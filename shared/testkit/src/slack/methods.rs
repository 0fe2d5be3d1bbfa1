//! What each method of the Web API demands and does.

use std::collections::{BTreeSet, HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::{BOT, Call, Channel, Trouble};

#[derive(Default)]
pub(super) struct State {
    pub(super) tokens: Vec<String>,
    pub(super) channels: Vec<Channel>,
    pub(super) users: Vec<(String, Option<String>, bool)>,
    /// Those of them who are of the own workspace.
    pub(super) colleagues: BTreeSet<String>,
    pub(super) trouble: HashMap<String, VecDeque<Trouble>>,
    pub(super) calls: Vec<Call>,
    numbers: u32,
    pub(super) page: usize,
}

type Outcome = Result<Value, &'static str>;

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .filter(|value| !value.is_empty())
}

impl State {
    pub(super) fn next(&mut self, prefix: &str) -> String {
        self.numbers += 1;
        format!("{prefix}{:08}", self.numbers)
    }

    pub(super) fn authorize(&self, header: Option<&str>) -> Result<(), &'static str> {
        let token = header
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or("not_authed")?;
        let is_known = self.tokens.iter().any(|known| known == token);
        is_known.then_some(()).ok_or("invalid_auth")
    }

    fn channel(&mut self, arguments: &Map<String, Value>) -> Result<&mut Channel, &'static str> {
        let id = text(arguments, "channel").ok_or("channel_not_found")?;
        self.channels
            .iter_mut()
            .find(|channel| channel.id == id && channel.members.contains(BOT))
            .ok_or("channel_not_found")
    }

    pub(super) fn act(&mut self, method: &str, arguments: &Map<String, Value>) -> Outcome {
        match method {
            "auth.test" => Ok(json!({
                "url": "https://cosell-test.slack.com/", "team_id": "T0TEST", "user_id": BOT,
            })),
            "conversations.create" => self.create(arguments),
            "conversations.setPurpose" => {
                let purpose = text(arguments, "purpose").unwrap_or_default();
                if purpose.chars().count() > 250 {
                    return Err("too_long");
                }
                self.channel(arguments)?.purpose = purpose.to_owned();
                Ok(json!({}))
            }
            "conversations.list" => self.list(arguments),
            "conversations.inviteShared" => self.invite(arguments),
            "conversations.invite" => self.add(arguments),
            "users.lookupByEmail" => {
                let email = text(arguments, "email").ok_or("users_not_found")?;
                let is_it = |(id, of_user, _): &&(String, Option<String>, bool)| {
                    of_user.as_deref() == Some(email) && self.colleagues.contains(id)
                };
                let (id, ..) = self.users.iter().find(is_it).ok_or("users_not_found")?;
                Ok(json!({ "user": { "id": id } }))
            }
            "conversations.listConnectInvites" => self.list_invites(arguments),
            "conversations.kick" => self.kick(arguments),
            "conversations.archive" => {
                let channel = self.channel(arguments)?;
                if std::mem::replace(&mut channel.is_archived, true) {
                    return Err("already_archived");
                }
                Ok(json!({}))
            }
            "chat.postMessage" => self.post(arguments),
            "pins.list" => {
                let channel = self.channel(arguments)?;
                let pin = |ts: &String| {
                    json!({
                        "type": "message", "channel": channel.id, "created_by": BOT,
                        "message": { "type": "message", "ts": ts },
                    })
                };
                Ok(json!({ "items": channel.pins.iter().map(pin).collect::<Vec<_>>() }))
            }
            "pins.add" => {
                let ts = text(arguments, "timestamp").ok_or("no_item_specified")?;
                let channel = self.channel(arguments)?;
                if channel.messages.iter().all(|(posted, _)| posted != ts) {
                    return Err("message_not_found");
                }
                if channel.pins.iter().any(|pinned| pinned == ts) {
                    return Err("already_pinned");
                }
                channel.pins.push(ts.to_owned());
                Ok(json!({}))
            }
            "users.info" => {
                let id = text(arguments, "user").ok_or("user_not_found")?;
                let found = self.users.iter().find(|(user, ..)| user == id);
                let (_, email, is_confirmed) = found.ok_or("user_not_found")?;
                Ok(json!({ "user": {
                    "id": id, "is_email_confirmed": is_confirmed, "profile": { "email": email },
                } }))
            }
            _ => Err("unknown_method"),
        }
    }

    fn create(&mut self, arguments: &Map<String, Value>) -> Outcome {
        let name = text(arguments, "name").ok_or("invalid_name_required")?;
        if name.len() > 80 {
            return Err("invalid_name_maxlength");
        }
        let is_in = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_');
        if !name.chars().all(is_in) {
            return Err("invalid_name_specials");
        }
        if self.channels.iter().any(|channel| channel.name == name) {
            return Err("name_taken");
        }
        let channel = Channel {
            id: self.next("C"),
            name: name.to_owned(),
            creator: BOT.to_owned(),
            is_private: text(arguments, "is_private") == Some("true"),
            members: BTreeSet::from([BOT.to_owned()]),
            ..Channel::default()
        };
        let answer = json!({ "channel": shown(&channel) });
        self.channels.push(channel);
        Ok(answer)
    }

    fn list(&self, arguments: &Map<String, Value>) -> Outcome {
        let types = text(arguments, "types").unwrap_or("public_channel");
        let without_ended = text(arguments, "exclude_archived") == Some("true");
        let is_shown = |channel: &&Channel| {
            let kind = if channel.is_private {
                "private_channel"
            } else {
                "public_channel"
            };
            types.split(',').any(|asked| asked == kind)
                && channel.members.contains(BOT)
                && !(without_ended && channel.is_archived)
        };
        let all: Vec<_> = self.channels.iter().filter(is_shown).map(shown).collect();
        self.page_of("channels", &all, arguments)
    }

    fn list_invites(&self, arguments: &Map<String, Value>) -> Outcome {
        let all: Vec<_> = self
            .channels
            .iter()
            .flat_map(|channel| {
                channel.invites.iter().map(|(id, email)| {
                    json!({
                        "direction": "outgoing",
                        "status": "pending",
                        "channel": { "id": channel.id },
                        "invite": { "id": id, "recipient_email": email },
                    })
                })
            })
            .collect();
        self.page_of("invites", &all, arguments)
    }

    fn page_of(&self, name: &str, all: &[Value], arguments: &Map<String, Value>) -> Outcome {
        let start = match text(arguments, "cursor") {
            Some(cursor) => cursor.parse::<usize>().map_err(|_| "invalid_cursor")?,
            None => 0,
        };
        let end = (start + self.page).min(all.len());
        let cursor = if end < all.len() {
            end.to_string()
        } else {
            String::new()
        };
        let page = all.get(start..end).ok_or("invalid_cursor")?;
        Ok(json!({ name: page, "response_metadata": { "next_cursor": cursor } }))
    }

    fn invite(&mut self, arguments: &Map<String, Value>) -> Outcome {
        let emails = arguments.get("emails").and_then(Value::as_array);
        let email = match emails.map(Vec::as_slice) {
            Some([email]) => email.as_str().filter(|email| email.contains('@')),
            Some([_, _, ..]) => return Err("too_many_emails"),
            _ => return Err("recipients_not_specified"),
        };
        let email = email.ok_or("invalid_email")?.to_owned();
        let id = self.next("I");
        let known = self
            .users
            .iter()
            .find(|(_, of_user, _)| *of_user == Some(email.clone()));
        let user = known.map(|(user, ..)| user.clone());
        let channel = self.channel(arguments)?;
        if channel.is_archived {
            return Err("channel_archived");
        }
        if user.is_some_and(|user| channel.members.contains(&user)) {
            return Err("already_in_channel");
        }
        channel.invites.push((id.clone(), email));
        Ok(json!({ "invite_id": id, "is_legacy_shared_channel": false }))
    }

    fn add(&mut self, arguments: &Map<String, Value>) -> Outcome {
        let user = text(arguments, "users").ok_or("no_user")?.to_owned();
        if !self.colleagues.contains(&user) {
            return Err("user_not_found");
        }
        let is_new = self.channel(arguments)?.members.insert(user);
        is_new.then(|| json!({})).ok_or("already_in_channel")
    }

    fn kick(&mut self, arguments: &Map<String, Value>) -> Outcome {
        let user = text(arguments, "user").ok_or("no_user")?;
        if user == BOT {
            return Err("cant_kick_self");
        }
        if self.users.iter().all(|(known, ..)| known != user) {
            return Err("user_not_found");
        }
        let is_out = self.channel(arguments)?.members.remove(user);
        is_out.then(|| json!({})).ok_or("not_in_channel")
    }

    fn post(&mut self, arguments: &Map<String, Value>) -> Outcome {
        let has_blocks = arguments.get("blocks").is_some_and(Value::is_array);
        if text(arguments, "text").is_none() && !has_blocks {
            return Err("no_text");
        }
        let number = self.next("");
        let channel = self.channel(arguments)?;
        if channel.is_archived {
            return Err("is_archived");
        }
        let ts = format!("17000{number}.000100");
        channel.messages.push((ts.clone(), arguments.clone()));
        Ok(json!({ "channel": channel.id, "ts": ts }))
    }
}

fn shown(channel: &Channel) -> Value {
    json!({
        "id": channel.id,
        "name": channel.name,
        "creator": channel.creator,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "purpose": { "value": channel.purpose },
    })
}
