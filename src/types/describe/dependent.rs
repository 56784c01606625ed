//! Dependent picklists: which values are open for which value of another field.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{FieldDescribe, FieldType, PicklistValue, SObjectDescribe};

/// Trailing bytes of zero, and with them the padding, may be left out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl PicklistValue {
    /// Whether the value is open while the controlling field has the value at this place of its list; of a checkbox, 0 is `false` and 1 is
    /// `true`. Also where it depends on nothing, and where its bits are not to be read: Salesforce decides in the end.
    ///
    /// Source: SOAP API Developer Guide, describeSObjects, "PicklistEntry": a set of bits, the highest of the first byte for the
    /// first value.
    #[must_use]
    pub fn is_valid_for(&self, place: usize) -> bool {
        let Some(bits) = self.valid_for.as_ref().and_then(|text| LENIENT.decode(text).ok()) else { return true };
        bits.get(place / 8).is_some_and(|byte| byte & (0x80 >> (place % 8)) != 0)
    }
}

/// A value of a controlling field, and the values of the dependent picklist that it opens.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DependentValues<'d> {
    /// The value of the controlling field; `false` or `true` of a checkbox.
    pub controlling: &'d str,
    /// The values that are open then, in the order of the list.
    pub open: Vec<&'d PicklistValue>,
}

impl SObjectDescribe {
    /// The values of a dependent picklist by those of its controlling field, in the order of that one's list; `None` for a field that is
    /// not there, depends on nothing, or whose controlling field is hidden from the user.
    ///
    /// Pure, no API call. The lists are those of all record types together.
    #[must_use]
    pub fn dependent_values(&self, field: &str) -> Option<Vec<DependentValues<'_>>> {
        let dependent = self.field(field)?;
        let controller = self.field(dependent.controller_name.as_deref()?)?;
        let open = |place: usize| dependent.picklist_values.iter().filter(|value| value.is_valid_for(place)).collect();
        let values = controlling_values(controller).into_iter().enumerate();
        Some(values.map(|(place, controlling)| DependentValues { controlling, open: open(place) }).collect())
    }
}

fn controlling_values(controller: &FieldDescribe) -> Vec<&str> {
    if controller.field_type == FieldType::Boolean {
        return vec!["false", "true"];
    }
    controller.picklist_values.iter().map(|value| value.value.as_str()).collect()
}
