//! How much of a stream is taken at once.

use futures_core::Stream;
use futures_util::StreamExt;

use crate::mapping::MappingIssue;
use crate::types::{Record, Value};

/// Bytes of text that a window may hold, so that long records do not fill the memory. Usual ones stay far below.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The next records of a stream, at most `records` and about 8 MB of them; empty at its end.
pub(crate) async fn next_window<T, S>(input: &mut S, records: usize) -> Vec<(T, Result<Record, MappingIssue>)>
where
    S: Stream<Item = (T, Result<Record, MappingIssue>)> + Unpin + Send,
    T: Send,
{
    let mut window = Vec::new();
    let mut bytes = 0;
    while window.len() < records && bytes < MAX_BYTES {
        let Some(next) = input.next().await else { break };
        bytes += next.1.as_ref().map_or(0, weight);
        window.push(next);
    }
    window
}

/// About how many bytes a record's values take.
fn weight(record: &Record) -> usize {
    record.iter().map(|(name, value)| name.len() + value_weight(value)).sum()
}

fn value_weight(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::List(items) => items.iter().map(value_weight).sum(),
            Value::Record(record) => weight(record),
            Value::Children(children) => children.records.iter().map(weight).sum(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn sizes(records: Vec<Record>) -> Vec<usize> {
        let mut input = stream::iter(records.into_iter().map(|record| ((), Ok(record))));
        let mut sizes = Vec::new();
        loop {
            let window = next_window(&mut input, 100).await;
            if window.is_empty() {
                return sizes;
            }
            sizes.push(window.len());
        }
    }

    #[tokio::test]
    async fn a_window_is_bounded_by_records_and_by_bytes() {
        assert_eq!(sizes(vec![Record::new(); 250]).await, [100, 100, 50]);
        let long = Record::new().with("list", vec![Value::from("x".repeat(1 << 20)); 3]);
        assert_eq!(sizes(vec![long; 7]).await, [3, 3, 1]);
    }
}
