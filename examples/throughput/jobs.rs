//! The jobs, each the way a program would do it that is in a hurry.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use sforce::Client;
use sforce::api::bulk::{IngestOperation, QueryJob};
use sforce::api::{AllOrNone, MAX_RECORDS};
use sforce::sync::WriteRoute;
use sforce::types::{FieldName, SObjectName};

use crate::rows::{Contact, ExportedContact, NewContact, OwnedContact, OwnedExportedContact};
use crate::support::Failure;
use crate::{Done, Job, Target};

pub(crate) const SOQL: &str = "SELECT Id, ExtId__c, FirstName, LastName, Email, Phone, Title, MailingCity, MailingPostalCode, Description, \
                    Score__c, IsActive__c, Birthdate, CreatedDate, LastModifiedDate, AccountId, Account.Name FROM Contact";

pub(crate) const BULK_SOQL: &str = "SELECT Id, ExtId__c, FirstName, LastName, Email, Title, MailingCity, Description, Score__c, IsActive__c, \
                         CreatedDate, Account.Name FROM Contact";

const CONTACT: SObjectName = SObjectName::from_static("Contact");
const KEY: FieldName = FieldName::from_static("ExtId__c");
const UPSERT: IngestOperation = IngestOperation::Upsert { key: KEY };

/// As long as a job may take.
const DEADLINE: Duration = Duration::from_mins(10);

pub(crate) async fn run(job: Job, target: &Target, records: usize) -> Result<Done, Failure> {
    let client = &target.client;
    match job {
        Job::J1 => read_borrowed(client).await,
        Job::J1o => read_owned(client).await,
        Job::J2 => upsert(client, records).await,
        Job::J2m => upsert_many(client, records).await,
        Job::J2b => load(client, UPSERT, records).await,
        Job::J3 => export_borrowed(client).await,
        Job::J3o => export_owned(client).await,
        Job::J4 => load(client, IngestOperation::Insert, records).await,
        Job::J4o => load_with_outcomes(client, records).await,
        Job::J5 => read_at_once(target, records).await,
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}

async fn read_borrowed(client: &Client) -> Result<Done, Failure> {
    let start = now();
    let (mut records, mut sum) = (0, 0.0);
    let mut pages = client.query_pages(SOQL);
    while let Some(contacts) = pages.next_page::<Contact>().await? {
        records += contacts.len();
        sum += contacts.iter().filter_map(|contact| contact.score).sum::<f64>();
    }
    Ok(Done { records, sum: Some(sum), wall_s: since(start), failures: None })
}

async fn read_owned(client: &Client) -> Result<Done, Failure> {
    let start = now();
    let (mut records, mut sum) = (0, 0.0);
    let mut contacts = client.query::<OwnedContact>(SOQL);
    while let Some(contact) = contacts.try_next().await? {
        records += 1;
        sum += contact.score.unwrap_or_default();
    }
    Ok(Done { records, sum: Some(sum), wall_s: since(start), failures: None })
}

/// Calls of 200 records, ten at once. `Client::upsert_many` does this and more for a little more processor time.
async fn upsert(client: &Client, records: usize) -> Result<Done, Failure> {
    let start = now();
    let contacts = client.collections(CONTACT);
    let calls = stream::iter((0..records).step_by(MAX_RECORDS)).map(|first| {
        let contacts = contacts.clone();
        tokio::spawn(async move {
            let rows: Vec<_> = (first..records.min(first + MAX_RECORDS)).map(NewContact::numbered).collect();
            contacts.upsert(&KEY, &rows, AllOrNone::No).await
        })
    });
    let mut calls = calls.buffer_unordered(10);
    let mut saved = 0;
    while let Some(call) = calls.next().await {
        let results = call.map_err(|error| Failure::Failed(error.to_string()))??;
        saved += results.iter().filter(|result| result.is_saved()).count();
    }
    Ok(Done { records: saved, failures: Some(records - saved), wall_s: since(start), sum: None })
}

/// The same by the one call for any number of records, one outcome each.
async fn upsert_many(client: &Client, records: usize) -> Result<Done, Failure> {
    let start = now();
    let contacts = stream::iter(0..records).map(NewContact::numbered);
    let totals = client.upsert_many(CONTACT, KEY).by(WriteRoute::Collections).run(contacts).totals(|_| ()).await;
    let failures = records - usize::try_from(totals.done).unwrap_or_default();
    Ok(Done { records: records - failures, failures: Some(failures), wall_s: since(start), sum: None })
}

async fn load(client: &Client, operation: IngestOperation, records: usize) -> Result<Done, Failure> {
    let start = now();
    let job = client.bulk_ingest(CONTACT, operation).create().await?;
    job.upload(move || (0..records).map(NewContact::numbered)).await?;
    job.close().await?;
    let done = job.wait(DEADLINE).await?;
    let processed = done.number_records_processed.and_then(|rows| usize::try_from(rows).ok()).unwrap_or_default();
    let failed = done.number_records_failed.and_then(|rows| usize::try_from(rows).ok()).unwrap_or_default();
    Ok(Done { records: processed - failed, failures: Some(failed), wall_s: since(start), sum: None })
}

async fn load_with_outcomes(client: &Client, records: usize) -> Result<Done, Failure> {
    let start = now();
    let job = client.bulk_ingest(CONTACT, IngestOperation::Insert).key_columns([KEY.as_str()]);
    let mut outcomes = job.write(move || (0..records).map(NewContact::numbered), DEADLINE);
    let mut saved = vec![false; records];
    while let Some(batch) = outcomes.next_batch().await? {
        for (row, outcome) in batch {
            let row = usize::try_from(row).ok().and_then(|row| saved.get_mut(row));
            if let Some(row) = row.filter(|row| !**row && outcome.is_saved()) {
                *row = true;
            }
        }
    }
    let saved = saved.into_iter().filter(|saved| *saved).count();
    Ok(Done { records: saved, failures: Some(records - saved), wall_s: since(start), sum: None })
}

async fn export(client: &Client) -> Result<QueryJob, Failure> {
    let job = client.bulk_query(BULK_SOQL).create().await?;
    job.wait(DEADLINE).await?;
    Ok(job)
}

async fn export_borrowed(client: &Client) -> Result<Done, Failure> {
    let start = now();
    let mut rows = export(client).await?.rows();
    let (mut records, mut sum) = (0, 0.0);
    while let Some(block) = rows.next_block().await? {
        for contact in block.decode::<ExportedContact>() {
            records += 1;
            sum += contact?.score.unwrap_or_default();
        }
    }
    Ok(Done { records, sum: Some(sum), wall_s: since(start), failures: None })
}

async fn export_owned(client: &Client) -> Result<Done, Failure> {
    let start = now();
    let mut contacts = export(client).await?.rows().typed::<OwnedExportedContact>();
    let (mut records, mut sum) = (0, 0.0);
    while let Some(contact) = contacts.try_next().await? {
        records += 1;
        sum += contact.score.unwrap_or_default();
    }
    Ok(Done { records, sum: Some(sum), wall_s: since(start), failures: None })
}

async fn read_at_once(target: &Target, records: usize) -> Result<Done, Failure> {
    let id = target.contact;
    let contacts = target.client.sobject::<OwnedContact>();
    contacts.get(id, &[]).await?;
    target.expire().await?;
    let start = now();
    let reads = (0..records).map(|_| {
        let contacts = contacts.clone();
        tokio::spawn(async move { contacts.get(id, &[]).await.map(drop) })
    });
    let mut failures = 0;
    // All of them are on their way; waiting for one after the other wakes this task least.
    for read in reads.collect::<Vec<_>>() {
        failures += usize::from(!matches!(read.await, Ok(Ok(()))));
    }
    Ok(Done { records: records - failures, failures: Some(failures), wall_s: since(start), sum: None })
}
