//! An org of several currencies.

use super::data::row_id;
use super::json::Json;
use super::mock::MockOrg;
use super::schema::{Field, FieldType, PicklistValue};
use super::standard;
use super::value::{Row, Value};

/// Object Reference, `CurrencyType`.
const TABLE: &str = "object CurrencyType 01L # label Currency Type|Currency Type # can create update
  Id id di!
  IsoCode picklist(3) cu
  ConversionRate double(18,6) cu
  DecimalPlaces int(2) cu
  IsActive boolean cud
  IsCorporate boolean d
  CreatedDate datetime d!
  CreatedById ref(User) d!
  LastModifiedDate datetime d!
  LastModifiedById ref(User) d!
  SystemModstamp datetime d!
";

impl MockOrg {
    /// Switches several currencies on: `CurrencyType` is there, and objects of data have `CurrencyIsoCode`. The first currency is the
    /// corporate one, which records have that were made without any. It cannot be switched off again.
    ///
    /// Source: Object Reference, `CurrencyType` and `CurrencyIsoCode` of "System Fields". Amounts are not converted.
    ///
    /// # Panics
    ///
    /// When there is no currency.
    pub fn enable_multi_currency(&self, currencies: &[(&str, f64)]) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some((corporate, _)) = currencies.first() else { panic!("an org has a currency") };
        for object in standard::read(TABLE).objects() {
            state.data.store.sync_table(object);
            state.schema.insert(object.clone());
        }
        for (place, (code, rate)) in currencies.iter().enumerate() {
            let members = [
                ("IsoCode".to_owned(), Json::string(*code)),
                ("ConversionRate".to_owned(), Json::number(rate)),
                ("DecimalPlaces".to_owned(), Json::number(2)),
                ("IsActive".to_owned(), Json::Bool(true)),
                ("IsCorporate".to_owned(), Json::Bool(place == 0)),
            ];
            state.make("CurrencyType", &members);
        }
        let mut field = Field::new("CurrencyIsoCode", "Currency ISO Code", FieldType::Picklist).with_length(3);
        (field.defaulted_on_create, field.permissionable, field.restricted_picklist) = (true, false, true);
        field.default_value = Some((*corporate).to_owned());
        field.picklist_values = currencies
            .iter()
            .map(|(code, _)| PicklistValue {
                value: (*code).to_owned(),
                label: (*code).to_owned(),
                active: true,
                default: code == corporate,
            })
            .collect();
        let names: Vec<String> =
            state.schema.objects().filter(|object| object.layoutable).map(|object| object.name.clone()).collect();
        for name in names {
            let Some(object) = state.schema.object_mut(&name) else { continue };
            if object.field("CurrencyIsoCode").is_none() {
                object.fields.push(field.clone());
            }
            state.data.store.sync_table(object);
            let rows: Vec<Row> = state.data.store.rows(&name, true).cloned().collect();
            for mut row in rows {
                let Some(id) = row_id(&row) else { continue };
                row.insert(field.name.clone(), Value::Text((*corporate).to_owned()));
                state.data.store.update(&id, row);
            }
        }
        state.changed();
    }
}
