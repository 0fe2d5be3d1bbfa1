//! The methods of Slack's Web API: validation and effects.

use std::collections::{BTreeSet, HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::{BOT, Call, Channel, InjectedFault, MethodDefinition};

#[derive(Default)]
pub(super) struct State {
    pub(super) tokens: Vec<String>,
    /// The scopes of all tokens.
    pub(super) scopes: Vec<String>,
    pub(super) channels: Vec<Channel>,
    pub(super) users: Vec<(String, Option<String>, bool)>,
    /// The users of the bot's own workspace.
    pub(super) colleagues: BTreeSet<String>,
    pub(super) faults: HashMap<String, VecDeque<InjectedFault>>,
    pub(super) calls: Vec<Call>,
    last_number: u32,
    pub(super) page_size: usize,
}

type MethodResult = Result<Value, &'static str>;

fn argument<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    arguments
        .get(name)
        .and_then(Value::as_str)
        .filter(|value| !value.is_empty())
}

impl State {
    pub(super) fn next_id(&mut self, prefix: &str) -> String {
        self.last_number += 1;
        format!("{prefix}{:08}", self.last_number)
    }

    pub(super) fn authorize(&self, header: Option<&str>) -> Result<(), &'static str> {
        let token = header
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or("not_authed")?;
        let is_accepted = self.tokens.iter().any(|accepted| accepted == token);
        is_accepted.then_some(()).ok_or("invalid_auth")
    }

    fn channel(&mut self, arguments: &Map<String, Value>) -> Result<&mut Channel, &'static str> {
        let id = argument(arguments, "channel").ok_or("channel_not_found")?;
        self.channels
            .iter_mut()
            .find(|channel| channel.id == id && channel.members.contains(BOT))
            .ok_or("channel_not_found")
    }

    /// Validates a call against the definition of its method, and executes it.
    pub(super) fn call(
        &mut self,
        method: &str,
        is_json: bool,
        arguments: &Map<String, Value>,
    ) -> MethodResult {
        let definition = MethodDefinition::of(method).ok_or("unknown_method")?;
        if let Some(refusal) = definition.refuse(&self.scopes, is_json, arguments) {
            return Ok(refusal);
        }
        let result = self.execute(method, arguments);
        if let Err(code) = &result {
            assert!(definition.has_error(code), "{method} has no error {code}");
        }
        result
    }

    fn execute(&mut self, method: &str, arguments: &Map<String, Value>) -> MethodResult {
        match method {
            "auth.test" => Ok(json!({
                "url": "https://cosell-test.slack.com/", "team_id": "T0TEST", "user_id": BOT,
            })),
            "conversations.create" => self.create(arguments),
            "conversations.setPurpose" => {
                let purpose = argument(arguments, "purpose").unwrap_or_default();
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
                let email = argument(arguments, "email").ok_or("users_not_found")?;
                let is_match = |(id, user_email, _): &&(String, Option<String>, bool)| {
                    user_email.as_deref() == Some(email) && self.colleagues.contains(id)
                };
                let (id, ..) = self.users.iter().find(is_match).ok_or("users_not_found")?;
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
                let ts = argument(arguments, "timestamp").ok_or("no_item_specified")?;
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
                let id = argument(arguments, "user").ok_or("user_not_found")?;
                let user = self.users.iter().find(|(user, ..)| user == id);
                let (_, email, is_confirmed) = user.ok_or("user_not_found")?;
                let shows_email = self.scopes.iter().any(|scope| scope == "users:read.email");
                let email = email.as_ref().filter(|_| shows_email);
                Ok(json!({ "user": {
                    "id": id, "is_email_confirmed": is_confirmed, "profile": { "email": email },
                } }))
            }
            _ => Err("unknown_method"),
        }
    }

    fn create(&mut self, arguments: &Map<String, Value>) -> MethodResult {
        let name = argument(arguments, "name").ok_or("invalid_name_required")?;
        if name.len() > 80 {
            return Err("invalid_name_maxlength");
        }
        let is_allowed = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_');
        if !name.chars().all(is_allowed) {
            return Err("invalid_name_specials");
        }
        if self.channels.iter().any(|channel| channel.name == name) {
            return Err("name_taken");
        }
        let channel = Channel {
            id: self.next_id("C"),
            name: name.to_owned(),
            creator: BOT.to_owned(),
            is_private: argument(arguments, "is_private") == Some("true"),
            members: BTreeSet::from([BOT.to_owned()]),
            ..Channel::default()
        };
        let answer = json!({ "channel": to_json(&channel) });
        self.channels.push(channel);
        Ok(answer)
    }

    fn list(&self, arguments: &Map<String, Value>) -> MethodResult {
        let types = argument(arguments, "types").unwrap_or("public_channel");
        let exclude_archived = argument(arguments, "exclude_archived") == Some("true");
        let is_listed = |channel: &&Channel| {
            let kind = if channel.is_private {
                "private_channel"
            } else {
                "public_channel"
            };
            types.split(',').any(|requested| requested == kind)
                && channel.members.contains(BOT)
                && !(exclude_archived && channel.is_archived)
        };
        let all: Vec<_> = self.channels.iter().filter(is_listed).map(to_json).collect();
        self.paginate("channels", "invalid_cursor", &all, arguments)
    }

    fn list_invites(&self, arguments: &Map<String, Value>) -> MethodResult {
        let all: Vec<_> = self
            .channels
            .iter()
            .flat_map(|channel| {
                channel.invites.iter().map(|(id, email)| {
                    json!({
                        "direction": "outgoing",
                        "status": "sent",
                        "invite_type": "channel",
                        "channel": { "id": channel.id },
                        "invite": { "id": id, "recipient_email": email },
                    })
                })
            })
            .collect();
        self.paginate("invites", "invalid_arguments", &all, arguments)
    }

    fn paginate(
        &self,
        name: &str,
        cursor_error: &'static str,
        all: &[Value],
        arguments: &Map<String, Value>,
    ) -> MethodResult {
        let start = match argument(arguments, "cursor") {
            Some(cursor) => cursor.parse::<usize>().map_err(|_| cursor_error)?,
            None => 0,
        };
        let end = (start + self.page_size).min(all.len());
        let cursor = if end < all.len() {
            end.to_string()
        } else {
            String::new()
        };
        let page = all.get(start..end).ok_or(cursor_error)?;
        Ok(json!({ name: page, "response_metadata": { "next_cursor": cursor } }))
    }

    fn invite(&mut self, arguments: &Map<String, Value>) -> MethodResult {
        let emails = arguments.get("emails").and_then(Value::as_array);
        let email = match emails.map(Vec::as_slice) {
            Some([email]) => email.as_str().filter(|email| email.contains('@')),
            Some([_, _, ..]) => return Err("too_many_emails"),
            _ => return Err("recipients_not_specified"),
        };
        let email = email.ok_or("invalid_email")?.to_owned();
        let id = self.next_id("I");
        let mut users = self.users.iter();
        let user = users.find(|(_, user_email, _)| *user_email == Some(email.clone()));
        let user = user.map(|(user, ..)| user.clone());
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

    fn add(&mut self, arguments: &Map<String, Value>) -> MethodResult {
        let user = argument(arguments, "users").ok_or("no_user")?.to_owned();
        if !self.colleagues.contains(&user) {
            return Err("user_not_found");
        }
        let is_new = self.channel(arguments)?.members.insert(user);
        is_new.then(|| json!({})).ok_or("already_in_channel")
    }

    fn kick(&mut self, arguments: &Map<String, Value>) -> MethodResult {
        let user = argument(arguments, "user").ok_or("user_not_found")?;
        if user == BOT {
            return Err("cant_kick_self");
        }
        if self.users.iter().all(|(id, ..)| id != user) {
            return Err("user_not_found");
        }
        let was_member = self.channel(arguments)?.members.remove(user);
        was_member.then(|| json!({})).ok_or("not_in_channel")
    }

    fn post(&mut self, arguments: &Map<String, Value>) -> MethodResult {
        let has_blocks = arguments.get("blocks").is_some_and(Value::is_array);
        if argument(arguments, "text").is_none() && !has_blocks {
            return Err("no_text");
        }
        let number = self.next_id("");
        let channel = self.channel(arguments)?;
        if channel.is_archived {
            return Err("is_archived");
        }
        let ts = format!("17000{number}.000100");
        channel.messages.push((ts.clone(), arguments.clone()));
        Ok(json!({ "channel": channel.id, "ts": ts }))
    }
}

fn to_json(channel: &Channel) -> Value {
    json!({
        "id": channel.id,
        "name": channel.name,
        "creator": channel.creator,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "purpose": { "value": channel.purpose },
    })
}
