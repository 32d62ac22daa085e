//! Callers: so many connections that stay open, on each the next request when the last is answered, and the time of each.
//!
//! They share the machine with what they measure, so they do as little as can be: the request is ready as bytes, and of an
//! answer they look for the end of the head. Every answer must have the status and the body of the first one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::Failure;
use crate::cases::Case;
use crate::meter::Tally;

const HEAD_END: &[u8] = b"\r\n\r\n";
/// Bytes of `HTTP/1.1 200`.
const STATUS_LINE_BYTES: usize = 12;
/// Longest wait for an answer: one that is shorter than it should be would be waited for in vain.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// A request and the answer that must come.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    address: SocketAddr,
    request: Bytes,
    /// Of the first answer.
    head: Bytes,
    body: Bytes,
}

/// The time of each answer, and all of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) took: Duration,
    pub(crate) latencies: Vec<Duration>,
}

/// A case, measured once.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) case: Case,
    pub(crate) asked: Asked,
    pub(crate) tally: Tally,
}

impl Asking {
    /// Asks once, to know what the answer is.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn learn(address: SocketAddr, request: String) -> Result<Self, Failure> {
        let mut connection = TcpStream::connect(address).await?;
        connection.write_all(request.as_bytes()).await?;
        let mut read = Vec::new();
        let head_bytes = read_head(&mut connection, &mut read).await?;
        let head = Bytes::copy_from_slice(&read[..head_bytes]);
        let mut asking = Self { address, request: request.into(), head, body: Bytes::new() };
        let body_bytes = asking.headers().remove(header::CONTENT_LENGTH);
        let body_bytes: usize = match body_bytes {
            Some(bytes) => bytes.to_str()?.parse()?,
            None => 0,
        };
        read_to(head_bytes + body_bytes, &mut connection, &mut read).await?;
        asking.body = Bytes::copy_from_slice(&read[head_bytes..]);
        Ok(asking)
    }

    /// The same to somebody else.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    pub(crate) fn status(&self) -> u16 {
        let status = self.head.get(STATUS_LINE_BYTES - 3..STATUS_LINE_BYTES).unwrap_or_default();
        std::str::from_utf8(status).ok().and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        let head = String::from_utf8_lossy(&self.head);
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let header =
            |(name, value): (&str, &str)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?));
        lines.filter_map(header).collect()
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    pub(crate) fn etag(&self) -> Option<String> {
        Some(self.headers().get(header::ETAG)?.to_str().ok()?.to_owned())
    }

    /// Asks on so many connections for so long, at least once on each.
    ///
    /// # Errors
    /// When an answer does not come or is wrong.
    pub(crate) async fn ask(&self, connections: u32, moment: Duration) -> Result<Asked, Failure> {
        let asking = Arc::new(self.clone());
        let start = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..connections {
            let asking = Arc::clone(&asking);
            callers.spawn(async move { asking.call(start + moment).await });
        }
        let mut asked = Asked::default();
        while let Some(latencies) = timeout(moment + ANSWER_TIME_MAX, callers.join_next()).await? {
            asked.latencies.extend(latencies??);
        }
        asked.took = start.elapsed();
        Ok(asked)
    }

    async fn call(&self, until: Instant) -> Result<Vec<Duration>, Failure> {
        let mut connection = TcpStream::connect(self.address).await?;
        connection.set_nodelay(true)?;
        let mut answer = Vec::with_capacity(2 * (self.head.len() + self.body.len()));
        let mut latencies = Vec::new();
        let mut start = Instant::now();
        loop {
            connection.write_all(&self.request).await?;
            answer.clear();
            let head_bytes = read_head(&mut connection, &mut answer).await?;
            read_to(head_bytes + self.body.len(), &mut connection, &mut answer).await?;
            if answer[..STATUS_LINE_BYTES] != self.head[..STATUS_LINE_BYTES]
                || answer[head_bytes..] != self.body
            {
                return Err(format!("wrong answer: {}", String::from_utf8_lossy(&answer)).into());
            }
            let end = Instant::now();
            latencies.push(end - start);
            if end >= until {
                return Ok(latencies);
            }
            start = end;
        }
    }
}

/// Reads until there is a whole head, and gives its length.
async fn read_head(connection: &mut TcpStream, read: &mut Vec<u8>) -> Result<usize, Failure> {
    loop {
        if let Some(end) = read.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END) {
            return Ok(end + HEAD_END.len());
        }
        read_to(read.len() + 1, connection, read).await?;
    }
}

/// Reads until there are so many bytes, or more.
async fn read_to(bytes: usize, connection: &mut TcpStream, read: &mut Vec<u8>) -> Result<(), Failure> {
    while read.len() < bytes {
        if connection.read_buf(read).await? == 0 {
            return Err("the connection was closed in the middle of an answer".into());
        }
    }
    Ok(())
}
