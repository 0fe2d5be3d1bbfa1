//! A fake mail server that stores received messages and can refuse recipients.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use mailin::{Action, Handler, Response, SessionBuilder};
use mailparse::MailHeaderMap as _;

/// A received message.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The envelope recipients.
    pub to: Vec<String>,
    /// The message as received.
    pub data: Vec<u8>,
}

impl Mail {
    /// The decoded subject.
    pub fn subject(&self) -> String {
        let headers = mailparse::parse_headers(&self.data).expect("headers").0;
        headers.get_first_value("Subject").unwrap_or_default()
    }

    /// The decoded text, with `\n` as the end of its lines.
    pub fn text(&self) -> String {
        let parsed = mailparse::parse_mail(&self.data).expect("a message");
        parsed.get_body().expect("a text").replace("\r\n", "\n")
    }
}

/// A running mail server. Stops when dropped.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    mails: Mutex<Vec<Mail>>,
    folder: Option<PathBuf>,
    refuse: AtomicU16,
    refused: AtomicUsize,
    ended: AtomicBool,
}

impl Sink {
    /// Starts a server on an address (port 0 for a free one). Messages are stored in memory and, if `folder` is set,
    /// there as `.eml` files.
    pub fn start(address: &str, folder: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).context("creating the mail folder")?;
        }
        let listener = TcpListener::bind(address).context("binding the mail server")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            folder,
            ..Shared::default()
        });
        let for_thread = shared.clone();
        let accepting = thread::Builder::new().name("smtp".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if for_thread.ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = for_thread.clone();
                thread::spawn(move || {
                    let _ = serve_session(stream, &shared);
                });
            }
        })?;
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// The listen address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses all recipients with a reply code such as 451 or 550; 0 accepts them again.
    pub fn refuse_with(&self, code: u16) {
        self.shared.refuse.store(code, Ordering::Relaxed);
    }

    /// The number of refused recipients.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// The messages received so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared
            .mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

/// Serves one SMTP session.
fn serve_session(stream: TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let peer = stream.peer_addr()?.ip();
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    let receiver = Receiver {
        shared: shared.clone(),
        to: Vec::new(),
        data: Vec::new(),
    };
    let mut session = SessionBuilder::new("cosell.invalid").build(peer, receiver);
    session.greeting().write_to(&mut output)?;
    output.flush()?;
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let response = session.process(&line);
        response.write_to(&mut output)?;
        output.flush()?;
        if response.action == Action::Close {
            break;
        }
        line.clear();
    }
    Ok(())
}

struct Receiver {
    shared: Arc<Shared>,
    to: Vec<String>,
    data: Vec<u8>,
}

impl Handler for Receiver {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, _from: &str) -> Response {
        self.to.clear();
        self.data.clear();
        mailin::response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        // Refused here and not at the end of the data, after which mailin would parse commands as data.
        match self.shared.refuse.load(Ordering::Relaxed) {
            0 => {
                self.to.push(to.to_owned());
                mailin::response::OK
            }
            code => {
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                Response::custom(code, "refused by the test".to_owned())
            }
        }
    }

    fn data(&mut self, buffer: &[u8]) -> std::io::Result<()> {
        self.data.extend_from_slice(buffer);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let mail = Mail {
            to: std::mem::take(&mut self.to),
            data: std::mem::take(&mut self.data),
        };
        let mut mails = self.shared.mails.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &self.shared.folder {
            let path = folder.join(format!("{:04}.eml", mails.len() + 1));
            if std::fs::write(path, &mail.data).is_err() {
                return mailin::response::NO_SERVICE;
            }
        }
        mails.push(mail);
        mailin::response::OK
    }
}
