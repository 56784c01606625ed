//! Request bodies in gzip.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, stream};

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Body, ByteStream};

/// Shorter bodies stay as they are: the frame of gzip and the processor time cost more than they save.
const MIN_BYTES: usize = 1024;

/// The body in gzip, or as it is if it is short, or a stream whose length was measured: somebody wants to know it before the body
/// comes, and nobody knows what it will be in gzip.
pub(super) fn gzip(body: Body) -> Result<(Body, bool)> {
    match body {
        Body::Bytes(bytes) if bytes.len() < MIN_BYTES => Ok((Body::Bytes(bytes), false)),
        Body::Bytes(bytes) => {
            let mut encoder = encoder();
            let whole = encoder.write_all(&bytes).and_then(|()| encoder.finish()).map_err(failed)?;
            Ok((Body::Bytes(whole.into()), true))
        }
        measured @ Body::Stream { length: Some(_), .. } => Ok((measured, false)),
        Body::Stream { chunks, length: None } => Ok((Body::Stream { chunks: compressed(chunks), length: None }, true)),
    }
}

fn encoder() -> GzEncoder<Vec<u8>> {
    // Level 1: most of the gain of CSV and JSON for the least time.
    GzEncoder::new(Vec::with_capacity(8192), Compression::fast())
}

fn compressed(chunks: ByteStream) -> ByteStream {
    let state = (chunks, Some(encoder()));
    let next = |(mut chunks, encoder): (ByteStream, Option<GzEncoder<Vec<u8>>>)| async move {
        let mut encoder = encoder?;
        loop {
            match chunks.next().await {
                None => {
                    let rest = encoder.finish().map(Bytes::from).map_err(failed);
                    return Some((rest, (chunks, None)));
                }
                Some(Err(error)) => return Some((Err(error), (chunks, None))),
                Some(Ok(chunk)) => {
                    if let Err(error) = encoder.write_all(&chunk) {
                        return Some((Err(failed(error)), (chunks, None)));
                    }
                    // The encoder hands over what it has whenever it likes; small pieces wait for more.
                    if encoder.get_ref().len() >= 4096 {
                        let piece = std::mem::take(encoder.get_mut());
                        return Some((Ok(piece.into()), (chunks, Some(encoder))));
                    }
                }
            }
        }
    };
    stream::unfold(state, next).boxed()
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unexpected, "", "the body could not be compressed").with_source(error)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    async fn plain(body: Body) -> Vec<u8> {
        let bytes = body.collect(u64::MAX).await.expect("whole");
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("gzip");
        plain
    }

    #[tokio::test]
    async fn what_is_compressed_comes_back_whole() {
        let text: Vec<u8> =
            (0..200_000_u32).flat_map(|number| (number * 7919 % 1000).to_string().into_bytes()).collect();
        let (whole, zipped) = gzip(Body::from(text.clone())).expect("compresses");
        assert!(zipped);
        assert_eq!(plain(whole).await, text);
        let pieces: Vec<_> = text.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let chunks = stream::iter(pieces).boxed();
        let (streamed, _) = gzip(Body::Stream { chunks, length: None }).expect("compresses");
        assert_eq!(plain(streamed).await, text);
        assert!(!gzip(Body::from(b"short".to_vec())).expect("as it is").1);
    }

    #[tokio::test]
    async fn a_stream_whose_length_was_measured_keeps_it() {
        let chunks = stream::iter([Ok(Bytes::from(vec![b'x'; 10_000]))]).boxed();
        let (body, zipped) = gzip(Body::Stream { chunks, length: Some(10_000) }).expect("as it is");
        assert!(!zipped && matches!(body, Body::Stream { length: Some(10_000), .. }));
        assert_eq!(body.collect(u64::MAX).await.expect("whole"), vec![b'x'; 10_000]);
    }

    #[tokio::test]
    async fn a_source_that_breaks_off_is_an_error_of_the_body() {
        let chunks = stream::iter([Ok(Bytes::from_static(b"x")), Err(Error::cut_off())]).boxed();
        let (body, _) = gzip(Body::Stream { chunks, length: None }).expect("compresses");
        assert_eq!(body.collect(u64::MAX).await.expect_err("broken").kind(), ErrorKind::Transport);
    }
}
