//! Rows and their indexes, with a journal to undo by.

use std::collections::{BTreeSet, HashMap};

use super::schema::{Field, FieldType, Object, Schema};
use super::value::{Row, Value};

/// Where a row is: the table and its place there. Rows never move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    table: usize,
    row: usize,
}

#[derive(Debug)]
struct Stored {
    row: Row,
    deleted: bool,
    /// No longer in the recycle bin either.
    purged: bool,
}

#[derive(Debug, Default)]
struct Table {
    object: String,
    /// In the order of their creation.
    rows: Vec<Stored>,
    live: usize,
    /// Live rows by field and value.
    indexes: HashMap<String, Index>,
}

#[derive(Debug)]
struct Index {
    case_sensitive: bool,
    rows: HashMap<String, BTreeSet<usize>>,
}

impl Index {
    fn key(&self, value: &Value) -> Option<String> {
        Some(match value {
            Value::Text(text) if self.case_sensitive => text.clone(),
            Value::Text(text) => text.to_lowercase(),
            Value::Number(number) => number.normalize().to_string(),
            _ => return None,
        })
    }
}

/// What undoes a change.
#[derive(Debug)]
enum Undo {
    Insert(Place),
    Update(Place, Row),
    Delete(Place),
}

/// All rows of the org.
#[derive(Debug, Default)]
pub(crate) struct Store {
    tables: Vec<Table>,
    /// By object name in lower case.
    names: HashMap<String, usize>,
    /// By 18-character id; deleted rows stay.
    ids: HashMap<String, Place>,
    /// One for each [`Store::begin`] that is open, the innermost last.
    journals: Vec<Vec<Undo>>,
    /// Changes to records that decide what users may do.
    pub(crate) setup_changes: u64,
}

/// Records that decide what users may do.
fn grants_rights(object: &str) -> bool {
    matches!(
        object,
        "FieldPermissions" | "ObjectPermissions" | "PermissionSet" | "PermissionSetAssignment" | "Profile" | "User"
    )
}

/// Fields that are looked up by value: keys of all kinds, email addresses, and references parents are found through.
fn wants_index(object: &Object, field: &Field) -> bool {
    field.name != "Id"
        && (field.id_lookup
            || field.external_id
            || field.unique
            || field.kind == FieldType::Email
            || (field.kind == FieldType::Reference
                && (field.child_relationship_name.is_some()
                    || field.cascade_delete
                    || (object.custom && field.custom))))
}

fn is_case_sensitive(field: &Field) -> bool {
    // Ids compare exactly; they are stored in their 18-character form.
    field.case_sensitive || field.kind == FieldType::Reference
}

impl Store {
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut store = Self::default();
        for object in schema.objects() {
            store.sync_table(object);
        }
        store
    }

    /// Makes the table of an object and the indexes its fields ask for.
    pub(crate) fn sync_table(&mut self, object: &Object) {
        let next = self.tables.len();
        let number = *self.names.entry(object.name.to_ascii_lowercase()).or_insert(next);
        if number == next {
            self.tables.push(Table { object: object.name.clone(), ..Table::default() });
        }
        let table = &mut self.tables[number];
        let wanted: Vec<&Field> = object.fields.iter().filter(|field| wants_index(object, field)).collect();
        table.indexes.retain(|name, index| {
            wanted.iter().any(|field| field.name == *name && is_case_sensitive(field) == index.case_sensitive)
        });
        for field in wanted {
            if table.indexes.contains_key(&field.name) {
                continue;
            }
            let mut index = Index { case_sensitive: is_case_sensitive(field), rows: HashMap::new() };
            for (number, stored) in table.rows.iter().enumerate().filter(|(_, stored)| !stored.deleted) {
                if let Some(key) = stored.row.get(&field.name).and_then(|value| index.key(value)) {
                    index.rows.entry(key).or_default().insert(number);
                }
            }
            table.indexes.insert(field.name.clone(), index);
        }
    }

    fn table(&self, object: &str) -> Option<&Table> {
        self.names.get(&object.to_ascii_lowercase()).map(|&number| &self.tables[number])
    }

    /// Rows in the order of their creation; deleted ones on request.
    pub(crate) fn rows<'s>(
        &'s self,
        object: &str,
        deleted: bool,
    ) -> impl DoubleEndedIterator<Item = &'s Row> + use<'s> {
        let rows = self.table(object).map(|table| table.rows.as_slice()).unwrap_or_default();
        rows.iter().filter(move |stored| !stored.purged && (deleted || !stored.deleted)).map(|stored| &stored.row)
    }

    /// Rows in the recycle bin, in the order of their creation.
    pub(crate) fn deleted_rows<'s>(&'s self, object: &str) -> impl Iterator<Item = &'s Row> + use<'s> {
        let rows = self.table(object).map(|table| table.rows.as_slice()).unwrap_or_default();
        rows.iter().filter(|stored| stored.deleted && !stored.purged).map(|stored| &stored.row)
    }

    /// Removes the deleted rows of an object for good. Their places stay, since rows never move.
    pub(crate) fn purge(&mut self, object: &str) {
        let Some(&number) = self.names.get(&object.to_ascii_lowercase()) else { return };
        for stored in self.tables[number].rows.iter_mut().filter(|stored| stored.deleted && !stored.purged) {
            if let Some(Value::Text(id)) = stored.row.get("Id") {
                self.ids.remove(id);
            }
            stored.purged = true;
        }
    }

    pub(crate) fn live_count(&self, object: &str) -> usize {
        self.table(object).map_or(0, |table| table.live)
    }

    /// A row by its 18-character id, and whether it is deleted.
    pub(crate) fn find(&self, id: &str) -> Option<(&Row, bool)> {
        let place = self.ids.get(id)?;
        let stored = &self.tables[place.table].rows[place.row];
        Some((&stored.row, stored.deleted))
    }

    /// The object a row belongs to, whatever the id's prefix says: some objects share one.
    pub(crate) fn object_of(&self, id: &str) -> Option<&str> {
        self.ids.get(id).map(|place| self.tables[place.table].object.as_str())
    }

    /// Live rows whose field has that value, by the index on the field. `None`: there is no such index.
    pub(crate) fn lookup(&self, object: &str, field: &str, value: &Value) -> Option<Vec<&Row>> {
        let table = self.table(object)?;
        let index = table.indexes.get(field)?;
        let Some(key) = index.key(value) else { return Some(Vec::new()) };
        let rows = index.rows.get(&key).into_iter().flatten().map(|&number| &table.rows[number].row);
        Some(rows.collect())
    }

    pub(crate) fn insert(&mut self, object: &str, id: &str, row: Row) {
        let Some(&number) = self.names.get(&object.to_ascii_lowercase()) else { return };
        let table = &mut self.tables[number];
        self.setup_changes += u64::from(grants_rights(&table.object));
        let place = Place { table: number, row: table.rows.len() };
        table.live += 1;
        index_row(table, place.row, &row, true);
        table.rows.push(Stored { row, deleted: false, purged: false });
        self.ids.insert(id.to_owned(), place);
        self.record(Undo::Insert(place));
    }

    pub(crate) fn update(&mut self, id: &str, row: Row) {
        let Some(&place) = self.ids.get(id) else { return };
        let old = self.replace(place, row);
        self.record(Undo::Update(place, old));
    }

    fn replace(&mut self, place: Place, row: Row) -> Row {
        let table = &mut self.tables[place.table];
        self.setup_changes += u64::from(grants_rights(&table.object));
        let old = std::mem::take(&mut table.rows[place.row].row);
        let deleted = table.rows[place.row].deleted;
        if !deleted {
            index_row(table, place.row, &old, false);
            index_row(table, place.row, &row, true);
        }
        table.rows[place.row].row = row;
        old
    }

    /// Marks a row as deleted; its stamps and `IsDeleted` are the caller's business.
    pub(crate) fn delete(&mut self, id: &str) {
        let Some(&place) = self.ids.get(id) else { return };
        self.mark(place, true);
        self.record(Undo::Delete(place));
    }

    fn mark(&mut self, place: Place, deleted: bool) {
        let table = &mut self.tables[place.table];
        if table.rows[place.row].deleted == deleted {
            return;
        }
        self.setup_changes += u64::from(grants_rights(&table.object));
        table.rows[place.row].deleted = deleted;
        let row = std::mem::take(&mut table.rows[place.row].row);
        index_row(table, place.row, &row, !deleted);
        table.rows[place.row].row = row;
        if deleted {
            table.live -= 1;
        } else {
            table.live += 1;
        }
    }

    /// Removes a row for good, past the recycle bin.
    pub(crate) fn purge_row(&mut self, id: &str) {
        let Some(place) = self.ids.remove(id) else { return };
        self.mark(place, true);
        self.tables[place.table].rows[place.row].purged = true;
    }

    fn record(&mut self, undo: Undo) {
        if let Some(journal) = self.journals.last_mut() {
            journal.push(undo);
        }
    }

    /// Takes a field's values from all rows of an object, for good.
    pub(crate) fn clear_field(&mut self, object: &str, field: &str) {
        let Some(&number) = self.names.get(&object.to_ascii_lowercase()) else { return };
        let holding = |row: &Row| row.contains_key(field);
        let places: Vec<usize> =
            (0..self.tables[number].rows.len()).filter(|&row| holding(&self.tables[number].rows[row].row)).collect();
        for row in places {
            let place = Place { table: number, row };
            let mut emptied = self.tables[number].rows[row].row.clone();
            emptied.remove(field);
            let old = self.replace(place, emptied);
            self.record(Undo::Update(place, old));
        }
    }

    /// Starts to remember how to undo. May be nested: the outer one can still undo what the inner one kept.
    pub(crate) fn begin(&mut self) {
        self.journals.push(Vec::new());
    }

    /// Keeps what was done since the last [`Store::begin`] that is open.
    pub(crate) fn commit(&mut self) {
        let done = self.journals.pop().unwrap_or_default();
        if let Some(outer) = self.journals.last_mut() {
            outer.extend(done);
        }
    }

    /// Keeps or undoes what was done since the last [`Store::begin`] that is open.
    pub(crate) fn end(&mut self, keep: bool) {
        if keep {
            self.commit();
        } else {
            self.roll_back();
        }
    }

    /// Undoes what was done since the last [`Store::begin`] that is open.
    pub(crate) fn roll_back(&mut self) {
        for undo in self.journals.pop().unwrap_or_default().into_iter().rev() {
            match undo {
                Undo::Delete(place) => self.mark(place, false),
                Undo::Update(place, row) => {
                    self.replace(place, row);
                }
                // Undone backwards, so the row is the last of its table.
                Undo::Insert(place) => {
                    self.mark(place, true);
                    let table = &mut self.tables[place.table];
                    let id = table.rows.pop().and_then(|stored| stored.row.get("Id").cloned());
                    if let Some(Value::Text(id)) = id {
                        self.ids.remove(&id);
                    }
                }
            }
        }
    }
}

fn index_row(table: &mut Table, number: usize, row: &Row, present: bool) {
    for (field, index) in &mut table.indexes {
        let Some(key) = row.get(field).and_then(|value| index.key(value)) else { continue };
        if present {
            index.rows.entry(key).or_default().insert(number);
        } else if let Some(rows) = index.rows.get_mut(&key) {
            rows.remove(&number);
            if rows.is_empty() {
                index.rows.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::org::standard;

    fn row(id: &str, email: &str) -> Row {
        [("Id", id), ("Email", email)]
            .into_iter()
            .map(|(name, text)| (name.to_owned(), Value::Text(text.to_owned())))
            .collect()
    }

    fn found(store: &Store, email: &str) -> usize {
        store.lookup("contact", "Email", &Value::Text(email.to_owned())).unwrap().len()
    }

    #[test]
    fn an_index_follows_every_change_and_every_undo() {
        let mut store = Store::new(&standard::schema());
        store.insert("Contact", "a", row("a", "Ann@Example.com"));
        assert_eq!(found(&store, "ann@example.COM"), 1, "email compares without case");
        store.begin();
        store.update("a", row("a", "bob@example.com"));
        store.insert("Contact", "b", row("b", "bob@example.com"));
        assert_eq!((found(&store, "ann@example.com"), found(&store, "bob@example.com")), (0, 2));
        store.delete("b");
        assert_eq!((found(&store, "bob@example.com"), store.live_count("Contact")), (1, 1));
        store.roll_back();
        assert_eq!((found(&store, "ann@example.com"), found(&store, "bob@example.com")), (1, 0));
        assert_eq!((store.live_count("Contact"), store.rows("Contact", true).count()), (1, 1));
        assert!(store.find("b").is_none());
    }

    #[test]
    fn an_outer_undo_takes_back_what_an_inner_one_kept() {
        let mut store = Store::new(&standard::schema());
        store.begin();
        store.insert("Contact", "a", row("a", "a@example.com"));
        store.begin();
        store.update("a", row("a", "kept@example.com"));
        store.commit();
        store.begin();
        store.insert("Contact", "b", row("b", "b@example.com"));
        store.roll_back();
        assert_eq!((found(&store, "kept@example.com"), store.live_count("Contact")), (1, 1));
        store.roll_back();
        assert_eq!((found(&store, "kept@example.com"), store.live_count("Contact")), (0, 0));
    }
}
