//! Up to 1,000 records in one call: five collections in one composite.

use std::io::Write as _;

use bytes::Bytes;
use serde::Serialize;

use super::reference::reads_like_reference;
use super::subresult::{Asked, Subresult, read_all};
use super::{COLLATE_SINCE, MAX_COLLECTIONS_AND_QUERIES, WireResponse, texts};
use crate::api::collections::{BodyWriter, Collections, DELETE, JSON, Keys, MAX_RECORDS, SaveResult};
use crate::client::{ApiRequest, Client};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::types::{FieldName, RecordId, SObjectName};

/// Records of one packed call.
pub const MAX_PACKED_RECORDS: usize = MAX_RECORDS * MAX_COLLECTIONS_AND_QUERIES;

/// Bytes of one call. Salesforce states no limit for REST; this is far below the 50 MB of SOAP, and what a call is repeated with after
/// a lost answer stays cheap.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What an org that refuses collections in a composite is remembered by.
const PACKED: &str = "collections in a composite";

/// A collections call of up to 200 records, ready to be sent alone or in a composite.
#[derive(Debug)]
struct Piece {
    /// The places of its records in the caller's list.
    places: Vec<usize>,
    what: What,
}

/// What a piece says of its records.
#[derive(Debug)]
enum What {
    Body(Bytes),
    /// The ids of those that are deleted, which stand in the address.
    Ids(String),
}

impl What {
    fn len(&self) -> usize {
        match self {
            Self::Body(body) => body.len(),
            Self::Ids(ids) => ids.len(),
        }
    }
}

/// Calls, one after the other.
#[derive(Debug, Default)]
struct Plan {
    /// Each goes in one composite.
    packs: Vec<Vec<Piece>>,
    /// Records that cannot stand in a composite.
    alone: Vec<Piece>,
}

/// Which call is made for each piece.
struct Call {
    operation: &'static str,
    method: http::Method,
    /// Below `/services/data/vXX.X`.
    path: String,
    idempotent: bool,
}

impl Call {
    fn request(&self, method: http::Method, path: &str) -> ApiRequest {
        let request = ApiRequest::with_method(self.operation, method, path);
        if self.idempotent { request.idempotent() } else { request }
    }
}

impl Collections {
    /// Creates or updates up to 1,000 records with the fewest API calls: one, in which five collections of 200 stand.
    ///
    /// Results are in the order of the records, one each; no record affects another. The records are matched by an external id field
    /// that each holds as a text or a number. They are written one collection after the other, so records of one parent are never
    /// in flight together.
    ///
    /// Costs one API call; one more for each further 4 MB; one more for each 200 records in which a text reads like a reference of a
    /// composite (`@{`), since those have to go by themselves. Where the org refuses collections in a composite, it costs one for each
    /// 200 records, and the client and its clones remember that. Repeated by itself after a lost answer.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] before sending: no records, more than [`MAX_PACKED_RECORDS`], a record without the external id, or
    ///   one that occurs twice.
    /// - Any error of [`Client::send`] if no call was answered. If some were, the records of the others have the error.
    pub async fn upsert_packed<T: Serialize + Sync>(&self, key: &FieldName, records: &[T]) -> Result<Vec<SaveResult>> {
        let path = format!("/composite/sobjects/{}/{key}", self.object);
        let call = Call { operation: "collections.upsert", method: http::Method::PATCH, path, idempotent: true };
        let rows = records.iter().map(|record| (None, record));
        self.send_packed(&call, rows, Some(key)).await
    }

    /// Changes up to 1,000 records by id, in one call as [`upsert_packed`](Self::upsert_packed) does. Repeated by itself.
    ///
    /// # Errors
    ///
    /// As for [`upsert_packed`](Self::upsert_packed).
    pub async fn update_packed<T: Serialize + Sync>(&self, records: &[(RecordId, T)]) -> Result<Vec<SaveResult>> {
        let path = "/composite/sobjects".to_owned();
        let call = Call { operation: "collections.update", method: http::Method::PATCH, path, idempotent: true };
        let rows = records.iter().map(|(id, record)| (Some(*id), record));
        self.send_packed(&call, rows, None).await
    }

    /// Creates up to 1,000 records, in one call as [`upsert_packed`](Self::upsert_packed) does. Never repeated after a lost answer.
    ///
    /// # Errors
    ///
    /// As for [`upsert_packed`](Self::upsert_packed).
    pub async fn create_packed<T: Serialize + Sync>(&self, records: &[T]) -> Result<Vec<SaveResult>> {
        let path = "/composite/sobjects".to_owned();
        let call = Call { operation: "collections.create", method: http::Method::POST, path, idempotent: false };
        let rows = records.iter().map(|record| (None, record));
        self.send_packed(&call, rows, None).await
    }

    /// Deletes up to 1,000 records by id, in one call as [`upsert_packed`](Self::upsert_packed) does. Repeated by itself.
    ///
    /// # Errors
    ///
    /// As for [`upsert_packed`](Self::upsert_packed).
    pub async fn delete_packed(&self, ids: &[RecordId]) -> Result<Vec<SaveResult>> {
        let path = "/composite/sobjects".to_owned();
        let call = Call { operation: DELETE, method: http::Method::DELETE, path, idempotent: true };
        self.check_packed(&call, ids.len())?;
        let pieces: Vec<Piece> = ids
            .chunks(MAX_RECORDS)
            .enumerate()
            .map(|(number, ids)| {
                let first = number * MAX_RECORDS;
                let list: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
                Piece { places: (first..first + ids.len()).collect(), what: What::Ids(list.join(",")) }
            })
            .collect();
        self.carry_out(&call, &Plan { packs: vec![pieces], alone: Vec::new() }, ids.len()).await
    }

    async fn send_packed<'a, T: Serialize + Sync + 'a>(
        &self,
        call: &Call,
        records: impl ExactSizeIterator<Item = (Option<RecordId>, &'a T)>,
        key: Option<&FieldName>,
    ) -> Result<Vec<SaveResult>> {
        let count = records.len();
        self.check_packed(call, count)?;
        let named = |error: Error| error.with_operation(call.operation).with_context("object", &self.object);
        let keys = key.map(|key| Keys::new(key, count));
        let plan = plan(call.operation, &self.object, records, keys, MAX_BYTES).map_err(named)?;
        self.carry_out(call, &plan, count).await
    }

    fn check_packed(&self, call: &Call, count: usize) -> Result<()> {
        if (1..=MAX_PACKED_RECORDS).contains(&count) {
            return Ok(());
        }
        let message = "a packed call takes 1 to 1,000 records";
        Err(self.invalid(call.operation, message).with_context("records", count))
    }

    async fn carry_out(&self, call: &Call, plan: &Plan, count: usize) -> Result<Vec<SaveResult>> {
        let mut outcomes = Outcomes::new(count);
        for pack in &plan.packs {
            self.send_pack(call, pack, &mut outcomes).await;
        }
        for piece in &plan.alone {
            self.send_alone(call, piece, &mut outcomes).await;
        }
        outcomes.finish(call.operation)
    }

    async fn send_pack(&self, call: &Call, pack: &[Piece], outcomes: &mut Outcomes) {
        if pack.len() > 1 && !self.client.is_refused(PACKED) {
            match self.send_composite(call, pack, outcomes).await {
                Ok(results) if !results.iter().all(is_refusal) => {
                    for (piece, result) in pack.iter().zip(&results) {
                        outcomes.put_result(piece, result);
                    }
                    return;
                }
                Ok(results) => return self.try_alone(call, pack, results, outcomes).await,
                Err(error) if may_be_the_composite(&error) => {
                    return self.try_alone(call, pack, Vec::new(), outcomes).await;
                }
                // Not sent: this handle's list does not see into a composite.
                Err(error) if error.kind() == ErrorKind::Forbidden && error.status().is_none() => {}
                Err(error) => return pack.iter().for_each(|piece| outcomes.put_error(piece, &error)),
            }
        }
        for piece in pack {
            self.send_alone(call, piece, outcomes).await;
        }
    }

    /// After a composite was refused: is it the composite, or what is in it? The first piece alone tells. `results` are those of
    /// the composite's parts, where it had any.
    async fn try_alone(&self, call: &Call, pack: &[Piece], results: Vec<Subresult>, outcomes: &mut Outcomes) {
        let Some((first, others)) = pack.split_first() else { return };
        match self.send_alone(call, first, outcomes).await {
            None => {
                let mut all = true;
                for piece in others {
                    all &= self.send_alone(call, piece, outcomes).await.is_none();
                }
                if all {
                    self.client.remember_refusal(PACKED);
                }
            }
            Some(error) => {
                let error = error.with_effect(Effect::None);
                for (place, piece) in others.iter().enumerate() {
                    match results.get(place + 1) {
                        Some(result) => outcomes.put_result(piece, result),
                        None => outcomes.put_error(piece, &error),
                    }
                }
            }
        }
    }

    /// One call for one piece. Tells the error where it was not answered.
    async fn send_alone(&self, call: &Call, piece: &Piece, outcomes: &mut Outcomes) -> Option<Error> {
        if let Some(error) = &outcomes.stopped {
            let error = error.clone().with_effect(Effect::None);
            outcomes.put_error(piece, &error);
            return Some(error);
        }
        let request = call.request(call.method.clone(), &call.path);
        let request = match &piece.what {
            What::Body(body) => request.body(JSON, body.clone()),
            What::Ids(ids) => request.query("ids", ids).query("allOrNone", "false"),
        };
        match self.results(request, call.operation, piece.places.len()).await {
            Ok(rows) => {
                outcomes.put(piece, rows);
                None
            }
            Err(error) => {
                outcomes.put_error(piece, &error);
                Some(error)
            }
        }
    }

    async fn send_composite(&self, call: &Call, pack: &[Piece], outcomes: &Outcomes) -> Result<Vec<Subresult>> {
        if let Some(error) = &outcomes.stopped {
            return Err(error.clone().with_effect(Effect::None));
        }
        let records: usize = pack.iter().map(|piece| piece.places.len()).sum();
        let request = call.request(http::Method::POST, "/composite").body(JSON, compose(&self.client, call, pack));
        let request = request.context("object", &self.object).context("records", records);
        let answer = self.client.send(request).await?;
        let wire: WireResponse<'_> = answer.json()?;
        let asked: Vec<Asked> = pack
            .iter()
            .enumerate()
            .map(|(place, piece)| Asked::rows(reference(place), call.operation, piece.places.len()))
            .collect();
        let (results, _) = read_all(&asked, wire.composite_response, &answer.body, false, answer.repeated)?;
        Ok(results)
    }
}

fn reference(place: usize) -> String {
    format!("rows{place}")
}

/// Whether a part was refused before any of its records was looked at.
fn is_refusal(result: &Subresult) -> bool {
    result.error().is_some_and(may_be_the_composite)
}

/// Whether the org may have refused the form of the call, and not the records in it. How an org says that it takes no collections
/// in a composite is not documented, so every refusal that changed nothing may be it; one call more tells.
fn may_be_the_composite(error: &Error) -> bool {
    let of_the_moment = matches!(
        error.kind(),
        ErrorKind::LimitExceeded | ErrorKind::RateLimited | ErrorKind::RowLocked | ErrorKind::Auth
    );
    error.effect() == Effect::None
        && !of_the_moment
        && !error.is_splittable()
        && matches!(error.status(), Some(400 | 403 | 404 | 405 | 501))
}

/// The body of a composite. Its parts were written before, and are as they would be by themselves.
fn compose(client: &Client, call: &Call, pack: &[Piece]) -> Vec<u8> {
    let version = client.api_version();
    let size: usize = pack.iter().map(|piece| piece.what.len() + 512).sum();
    let mut body = Vec::with_capacity(size);
    // Not collated, so that they run one after the other.
    let start: &[u8] = if version.major() >= COLLATE_SINCE {
        br#"{"allOrNone":false,"collateSubrequests":false,"compositeRequest":["#
    } else {
        br#"{"allOrNone":false,"compositeRequest":["#
    };
    body.extend_from_slice(start);
    // Subrequests inherit none but the token and the media types.
    let headers = texts(client.headers());
    let headers = if headers.is_empty() { None } else { serde_json::to_string(&headers).ok() };
    for (place, piece) in pack.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let (method, path, reference) = (&call.method, &call.path, reference(place));
        let query = match &piece.what {
            What::Body(_) => String::new(),
            What::Ids(ids) => format!("?ids={ids}&allOrNone=false"),
        };
        // Writing to a Vec does not fail. Method, path, ids and reference id hold nothing that JSON escapes.
        let _ = write!(
            body,
            r#"{separator}{{"method":"{method}","url":"/services/data/v{version}{path}{query}","referenceId":"{reference}""#
        );
        if let Some(headers) = &headers {
            let _ = write!(body, r#","httpHeaders":{headers}"#);
        }
        if let What::Body(records) = &piece.what {
            body.extend_from_slice(br#","body":"#);
            body.extend_from_slice(records);
        }
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    body
}

/// A piece that is being written.
struct Open {
    writer: BodyWriter,
    places: Vec<usize>,
}

impl Open {
    fn new(operation: &'static str, records: usize) -> Self {
        let records = records.min(MAX_RECORDS);
        Self { writer: BodyWriter::new(operation, false, records), places: Vec::with_capacity(records) }
    }

    fn close(self) -> Option<Piece> {
        (!self.places.is_empty()).then(|| Piece { places: self.places, what: What::Body(self.writer.finish().into()) })
    }
}

/// Writes pieces of up to 200 records, in packs of up to five and `most` bytes. A record that alone is longer has a piece and a pack of
/// its own.
fn plan<'a, T: Serialize + 'a>(
    operation: &'static str,
    object: &SObjectName,
    records: impl ExactSizeIterator<Item = (Option<RecordId>, &'a T)>,
    mut keys: Option<Keys<'_>>,
    most: usize,
) -> Result<Plan> {
    let mut left = records.len();
    let mut plan = Plan::default();
    let (mut pack, mut pack_bytes) = (Vec::new(), 0);
    let mut open = Open::new(operation, left);
    let mut alone = Open::new(operation, 0);
    for (place, (id, record)) in records.enumerate() {
        let mut refers = false;
        let look = |json: &[u8]| {
            refers = reads_like_reference(json);
            keys.as_mut().map_or(Ok(()), |keys| keys.check(json))
        };
        open.writer.push(object, id, record, look)?;
        if refers {
            open.writer.take_back();
            alone.writer.push(object, id, record, |_| Ok(()))?;
            alone.places.push(place);
            if alone.places.len() == MAX_RECORDS || alone.writer.len() > most {
                plan.alone.extend(std::mem::replace(&mut alone, Open::new(operation, 0)).close());
            }
        } else if pack_bytes + open.writer.len() > most && !(pack.is_empty() && open.places.is_empty()) {
            open.writer.take_back();
            pack.extend(std::mem::replace(&mut open, Open::new(operation, left)).close());
            plan.packs.push(std::mem::take(&mut pack));
            pack_bytes = 0;
            open.writer.push(object, id, record, |_| Ok(()))?;
            open.places.push(place);
        } else {
            open.places.push(place);
        }
        left -= 1;
        if open.places.len() == MAX_RECORDS {
            pack_bytes += open.writer.len();
            pack.extend(std::mem::replace(&mut open, Open::new(operation, left)).close());
            if pack.len() == MAX_COLLECTIONS_AND_QUERIES {
                plan.packs.push(std::mem::take(&mut pack));
                pack_bytes = 0;
            }
        }
    }
    pack.extend(open.close());
    if !pack.is_empty() {
        plan.packs.push(pack);
    }
    plan.alone.extend(alone.close());
    Ok(plan)
}

/// The outcomes of a packed call, at the places of their records.
struct Outcomes {
    results: Vec<Option<SaveResult>>,
    answered: bool,
    /// The first error of a call, with what is known of the effects of all.
    error: Option<Error>,
    /// An error that the calls which follow would meet too.
    stopped: Option<Error>,
}

impl Outcomes {
    fn new(count: usize) -> Self {
        let mut results = Vec::new();
        results.resize_with(count, || None);
        Self { results, answered: false, error: None, stopped: None }
    }

    fn put(&mut self, piece: &Piece, rows: Vec<SaveResult>) {
        self.answered = true;
        for (place, row) in piece.places.iter().zip(rows) {
            if let Some(result) = self.results.get_mut(*place) {
                *result = Some(row);
            }
        }
    }

    fn put_result(&mut self, piece: &Piece, result: &Subresult) {
        match result.rows() {
            Ok(rows) => self.put(piece, rows.to_vec()),
            Err(error) => self.put_error(piece, &error),
        }
    }

    fn put_error(&mut self, piece: &Piece, error: &Error) {
        let stops = matches!(
            error.kind(),
            ErrorKind::LimitExceeded | ErrorKind::Auth | ErrorKind::ReauthRequired | ErrorKind::Config
        );
        if stops {
            self.stopped.get_or_insert_with(|| error.clone());
        }
        let first = self.error.take().unwrap_or_else(|| error.clone());
        let effect = if error.effect() == Effect::Unknown { Effect::Unknown } else { first.effect() };
        self.error = Some(first.with_effect(effect));
        for place in &piece.places {
            if let Some(result) = self.results.get_mut(*place) {
                *result = Some(SaveResult { id: None, created: None, error: Some(error.clone()) });
            }
        }
    }

    fn finish(self, operation: &'static str) -> Result<Vec<SaveResult>> {
        if let (false, Some(error)) = (self.answered, self.error) {
            return Err(error);
        }
        // Every place is in one piece, and every piece was put.
        let missing =
            || Error::new(ErrorKind::Unexpected, operation, "a record was left out").with_effect(Effect::Unknown);
        self.results.into_iter().map(|result| result.ok_or_else(missing)).collect()
    }
}

#[cfg(test)]
mod tests;
