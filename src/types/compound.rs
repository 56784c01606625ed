//! Fields made of parts: addresses and locations.

use serde::{Deserialize, Serialize};

use super::Decimal;

/// A compound address. Read-only: a write names the parts, such as `BillingStreet`.
///
/// Source: Object Reference, "Address Compound Fields"; recorded answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Address {
    /// City.
    pub city: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// ISO code of the country; only where the org has state and country picklists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// How exact latitude and longitude are, such as `Street`.
    pub geocode_accuracy: Option<String>,
    /// Degrees north.
    pub latitude: Option<Decimal>,
    /// Degrees east.
    pub longitude: Option<Decimal>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// ISO code of the state; only where the org has state and country picklists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_code: Option<String>,
    /// Street; lines end in `\n`.
    pub street: Option<String>,
}

/// A compound location. Read-only: a write names the parts, such as `Site__Latitude__s`.
///
/// Source: Object Reference, "Geolocation Compound Field".
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Location {
    /// Degrees north.
    pub latitude: Option<Decimal>,
    /// Degrees east.
    pub longitude: Option<Decimal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_with_every_digit_and_null_is_none() {
        let text = r#"{"city":"Berlin","country":"Germany","geocodeAccuracy":null,"latitude":52.517037123456789,"longitude":13.4,"postalCode":"10117","state":null,"street":"a\nb"}"#;
        let address: Address = serde_json::from_str(text).expect("decodes");
        assert_eq!(address.latitude.map(|number| number.to_string()).as_deref(), Some("52.517037123456789"));
        assert_eq!(serde_json::to_string(&address).expect("serialises"), text);
        let location: Location = serde_json::from_str(r#"{"latitude":-0.5,"longitude":null}"#).expect("decodes");
        assert_eq!((location.latitude.is_some(), location.longitude), (true, None));
    }
}
