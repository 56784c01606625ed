//! Bodies: bytes that can be sent again, or a stream that cannot.

use std::fmt;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::{StreamExt, stream};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// Chunks of a body; ends after the first error.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// The body of a request or an answer.
pub enum Body {
    /// All of it, in memory.
    Bytes(Bytes),
    /// Chunks as they come, and how many bytes there will be if that is known.
    Stream {
        /// The chunks.
        chunks: ByteStream,
        /// Their sum; `None` when it is not known.
        length: Option<u64>,
    },
}

impl Body {
    /// A body without content.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Bytes(Bytes::new())
    }

    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] beyond `limit` bytes; [`ErrorKind::Transport`] where the stream breaks off or ends before its
    /// declared length.
    pub async fn collect(self, limit: u64) -> Result<Bytes> {
        self.collect_watching(limit, &|_| true).await
    }

    /// The chunks as they come. A body that ends before or after its declared length is an error at its end.
    #[must_use]
    pub fn into_chunks(self) -> ByteStream {
        match self {
            Self::Bytes(bytes) => stream::once(std::future::ready(Ok(bytes))).boxed(),
            Self::Stream { chunks, length: None } => chunks,
            Self::Stream { chunks, length: Some(length) } => exactly(chunks, length, Error::cut_off),
        }
    }

    /// As [`collect`](Self::collect), and shows what has come so far to `watch` until it has seen enough.
    pub(crate) async fn collect_watching(self, limit: u64, watch: &(dyn Fn(&[u8]) -> bool + Sync)) -> Result<Bytes> {
        let (mut chunks, length) = match self {
            Self::Bytes(bytes) => {
                watch(&bytes);
                return Ok(bytes);
            }
            Self::Stream { chunks, length } => (chunks, length),
        };
        // What is announced is believed up to 16 MB, the largest pages; beyond, memory grows with what has come.
        let announced = length.unwrap_or(0).min(limit).min(16 << 20);
        let mut enough = false;
        let mut whole = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            if (whole.len() as u64).saturating_add(chunk.len() as u64) > limit {
                return Err(Error::new(ErrorKind::Decode, "", "the answer is larger than allowed")
                    .with_context("limit_bytes", limit));
            }
            whole.extend_from_slice(&chunk);
            enough = enough || watch(&whole);
        }
        if length.is_some_and(|length| length != whole.len() as u64) {
            return Err(Error::cut_off());
        }
        Ok(whole.freeze())
    }

    /// As [`collect`](Self::collect), into memory that is wiped when it is dropped. What the HTTP stack has buffered is out of
    /// reach.
    pub(crate) async fn collect_secret(self, limit: u64) -> Result<Zeroizing<Vec<u8>>> {
        let (mut chunks, length) = match self {
            Self::Bytes(bytes) => return Ok(Zeroizing::new(bytes.to_vec())),
            Self::Stream { chunks, length } => (chunks, length),
        };
        let mut whole = Zeroizing::new(Vec::with_capacity(4096));
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            let size = whole.len().saturating_add(chunk.len());
            if size as u64 > limit {
                return Err(Error::new(ErrorKind::Decode, "", "the answer is larger than allowed")
                    .with_context("limit_bytes", limit));
            }
            if size > whole.capacity() {
                // A vector that grows by itself leaves its old memory as it is.
                let mut larger = Zeroizing::new(Vec::with_capacity(2 * size));
                larger.extend_from_slice(&whole);
                whole = larger;
            }
            whole.extend_from_slice(&chunk);
        }
        if length.is_some_and(|length| length != whole.len() as u64) {
            return Err(Error::cut_off());
        }
        Ok(whole)
    }
}

/// The chunks, and an error instead of their end where they are fewer bytes than that, or of the first byte that is too much.
pub(crate) fn exactly(chunks: ByteStream, length: u64, wrong: fn() -> Error) -> ByteStream {
    let next = move |state: Option<(ByteStream, u64)>| async move {
        let (mut chunks, left) = state?;
        match chunks.next().await {
            Some(Ok(chunk)) => match left.checked_sub(chunk.len() as u64) {
                Some(left) => Some((Ok(chunk), Some((chunks, left)))),
                None => Some((Err(wrong()), None)),
            },
            Some(Err(error)) => Some((Err(error), None)),
            None if left > 0 => Some((Err(wrong()), None)),
            None => None,
        }
    };
    stream::unfold(Some((chunks, length)), next).boxed()
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::Stream { length, .. } => write!(f, "Body(stream of {length:?} bytes)"),
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(parts: &'static [&'static str], length: Option<u64>) -> Body {
        let chunks = parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes())));
        Body::Stream { chunks: stream::iter(chunks).boxed(), length }
    }

    #[tokio::test]
    async fn a_body_shorter_than_announced_is_an_error() {
        let short = || chunks(&["ab", "c"], Some(4));
        for error in [short().collect(100).await.map(drop), short().collect_secret(100).await.map(drop)] {
            assert_eq!(error.expect_err("one byte is missing").kind(), ErrorKind::Transport);
        }
        assert_eq!(chunks(&["ab", "c"], Some(3)).collect(100).await.expect("whole"), "abc");
        assert_eq!(chunks(&["ab", "c"], None).collect_secret(100).await.expect("whole").as_slice(), b"abc");
    }

    #[tokio::test]
    async fn chunks_of_another_length_than_declared_end_in_an_error() {
        async fn read(parts: &'static [&'static str], length: Option<u64>) -> (usize, Option<ErrorKind>) {
            let mut chunks = chunks(parts, length).into_chunks();
            let (mut bytes, mut error) = (0, None);
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(chunk) => bytes += chunk.len(),
                    Err(wrong) => error = error.or(Some(wrong.kind())),
                }
            }
            (bytes, error)
        }
        assert_eq!(read(&["ab", "c"], Some(3)).await, (3, None));
        assert_eq!(read(&["ab", "c"], None).await, (3, None));
        assert_eq!(read(&[], Some(0)).await, (0, None));
        assert_eq!(read(&["ab", "c"], Some(4)).await, (3, Some(ErrorKind::Transport)));
        assert_eq!(read(&["ab", "c"], Some(2)).await, (2, Some(ErrorKind::Transport)));
        assert_eq!(Body::from(b"ab".to_vec()).into_chunks().next().await.expect("one").expect("whole"), "ab");
    }

    #[tokio::test]
    async fn a_body_larger_than_allowed_is_an_error() {
        let large = || chunks(&["ab", "c"], None);
        for error in [large().collect(2).await.map(drop), large().collect_secret(2).await.map(drop)] {
            assert_eq!(error.expect_err("too large").kind(), ErrorKind::Decode);
        }
    }
}
