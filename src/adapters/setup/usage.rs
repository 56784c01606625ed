//! Accounts and contacts read, usage metrics written to objects of their own.

use super::grants::permission_set;
use crate::adapters::engagement::Prefix;
use crate::api::metadata::{CustomField, CustomObject, FieldKind, NameField};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{
    DesiredSchema, FieldRequirement, ObjectRequirement, ObjectRight, RequirementSet, Severity, api_name,
};
use crate::types::{FieldName, SObjectName};

/// Characters of a key: an id of the product or of Salesforce.
const KEY: u32 = 80;

/// What usage is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsageLevel {
    /// An account.
    Account,
    /// A contact.
    Contact,
}

impl UsageLevel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Account, Self::Contact];

    fn name(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::Contact => "Contact",
        }
    }
}

/// A metric: a number field on the object of its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageMetric {
    /// Whose usage it is.
    pub level: UsageLevel,
    /// The field's API name.
    pub field: FieldName,
    /// The field's label.
    pub label: String,
}

impl UsageMetric {
    /// A metric of that label, whose API name is made of it by [`api_name`].
    #[must_use]
    pub fn new(level: UsageLevel, label: impl Into<String>) -> Self {
        let label = label.into();
        let field = identifier(FieldName::new, format!("{}__c", api_name(&label, |_| false)));
        Self { level, field, label }
    }
}

#[expect(
    clippy::expect_used,
    reason = "labels are made API names, and prefix and namespace were checked when they were given"
)]
fn identifier<T>(make: fn(String) -> Result<T>, name: String) -> T {
    make(name).expect("an identifier")
}

/// Names and metrics of the usage objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageOptions {
    prefix: Prefix,
    namespace: Option<String>,
    history: bool,
    metrics: Vec<UsageMetric>,
}

impl Default for UsageOptions {
    /// `Heap_`, in the org's own namespace, without metrics.
    fn default() -> Self {
        let prefix = Prefix::new("Heap_").unwrap_or_default();
        Self { prefix, namespace: None, history: false, metrics: Vec::new() }
    }
}

impl UsageOptions {
    /// What the names of the objects begin with.
    #[must_use]
    pub fn prefix(mut self, prefix: Prefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// The namespace of an installed package that has the objects: these are not made then, only their metrics.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for what is no namespace: 1 to 15 letters, digits and single underscores after a letter.
    pub fn namespace(mut self, namespace: &str) -> Result<Self> {
        let sound = FieldName::new(namespace).is_ok() && !namespace.contains("__") && namespace.len() <= 15;
        if !sound || namespace.ends_with('_') {
            return Err(Error::new(ErrorKind::Config, "usage", "not the namespace of a package")
                .with_advice("see it in Setup > Installed Packages > Namespace Prefix"));
        }
        self.namespace = Some(namespace.to_owned());
        Ok(self)
    }

    /// Lets the org keep the changes of metrics: of at most 20 an object, and from the set-up on. Without it a record shows the latest
    /// value alone.
    #[must_use]
    pub fn track_history(mut self) -> Self {
        self.history = true;
        self
    }

    /// A metric more.
    #[must_use]
    pub fn metric(mut self, metric: UsageMetric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// A name of the package, or of the org where there is none. Both parts were checked when they were given.
    fn resolved(&self, name: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}__{name}__c"),
            None => format!("{name}__c"),
        }
    }

    /// The usage object of a level, such as `Heap_Account_Usage__c`.
    #[must_use]
    pub fn object(&self, level: UsageLevel) -> SObjectName {
        let name = self.resolved(&format!("{}{}_Usage", self.prefix.as_str(), level.name()));
        identifier(SObjectName::new, name)
    }

    fn field(&self, name: &str) -> FieldName {
        identifier(FieldName::new, self.resolved(name))
    }

    /// The field with the id of the account or contact, by which rows are named: `Account_Id__c` or `Contact_Id__c`.
    #[must_use]
    pub fn key(&self, level: UsageLevel) -> FieldName {
        self.field(&format!("{}_Id", level.name()))
    }

    /// The lookup to the account or contact: `Account__c` or `Contact__c`.
    #[must_use]
    pub fn lookup(&self, level: UsageLevel) -> FieldName {
        self.field(level.name())
    }

    fn metrics_of(&self, level: UsageLevel) -> impl Iterator<Item = &UsageMetric> {
        self.metrics.iter().filter(move |metric| metric.level == level)
    }
}

fn metric_kind() -> FieldKind {
    FieldKind::Number { precision: 18, scale: 3 }
}

fn lookup_kind(options: &UsageOptions, level: UsageLevel) -> FieldKind {
    let (children, title) = (format!("{}Usage", options.prefix.as_str()), format!("{} Usage", product(options)));
    FieldKind::lookup(level.name(), children, title)
}

fn product(options: &UsageOptions) -> String {
    options.prefix.as_str().trim_end_matches('_').replace('_', " ")
}

/// The two usage objects with key and lookup, their metrics, and who may use them.
#[must_use]
pub fn usage_schema(options: &UsageOptions) -> DesiredSchema {
    let product = product(options);
    let own = options.namespace.is_none();
    let object = |level: UsageLevel| {
        let label = format!("{product} {} Usage", level.name());
        let object = CustomObject::new(options.object(level).to_string(), &label, &label)
            .description(format!("Usage of {}s, one record each.", level.name().to_ascii_lowercase()))
            .name_field(NameField::text("Name"));
        if options.history { object.with_history() } else { object }
    };
    let fields = |level: UsageLevel| {
        let of = options.object(level);
        let field = |name: &FieldName, label: &str, kind| CustomField::new(format!("{of}.{name}"), label, kind);
        let key = field(&options.key(level), &format!("{} Id", level.name()), FieldKind::text(KEY));
        // Case counts: ids of 15 characters may differ by nothing else.
        let key = key.unique().case_sensitive().external_id();
        let lookup = field(&options.lookup(level), level.name(), lookup_kind(options, level));
        let metrics = options.metrics_of(level).map(|metric| {
            let made = field(&metric.field, &metric.label, metric_kind());
            if options.history { made.track_history() } else { made }
        });
        let packaged = [key, lookup].into_iter().filter(|_| own);
        packaged.chain(metrics).collect::<Vec<_>>()
    };
    let permission_set = permission_set(
        &usage_requirements(options),
        &format!("{}Integration", options.prefix.as_str()),
        &format!("{product} Integration"),
        "Made by the usage integration: accounts and contacts to read, and the usage objects.",
    );
    let schema = DesiredSchema::new("usage").fields(UsageLevel::ALL.into_iter().flat_map(fields));
    let objects = UsageLevel::ALL.into_iter().filter(|_| own).map(object);
    objects.fold(schema, DesiredSchema::object).permission_set(permission_set)
}

/// Accounts and contacts, as they are read.
fn parents() -> [ObjectRequirement; 2] {
    let read = |name| FieldRequirement::read(FieldName::from_static(name));
    let object = |name| ObjectRequirement::new(SObjectName::from_static(name)).with_rights([ObjectRight::ViewAll]);
    [
        object("Account").with_fields(["Name", "Website", "LastModifiedDate"].map(read)),
        object("Contact").with_fields(["Email", "FirstName", "LastName", "AccountId", "LastModifiedDate"].map(read)),
    ]
}

/// Where the API comes with the edition; others buy it.
const EDITIONS: [&str; 4] = ["Enterprise Edition", "Unlimited Edition", "Developer Edition", "Performance Edition"];

/// What the user needs to read accounts and contacts and to write usage: also Customize Application and Modify Metadata, since each
/// new metric is a new field.
#[must_use]
pub fn usage_requirements(options: &UsageOptions) -> RequirementSet {
    let makes = "each new metric is made as a field";
    let object = |level: UsageLevel| {
        let key = FieldRequirement::key(options.key(level)).of_kind(&FieldKind::Text { length: KEY });
        let lookup = FieldRequirement::write(options.lookup(level)).of_kind(&lookup_kind(options, level));
        let metric = |metric: &UsageMetric| FieldRequirement::write(metric.field.clone()).of_kind(&metric_kind());
        ObjectRequirement::new(options.object(level))
            .with_rights(ObjectRight::ALL)
            .with_fields([key, lookup])
            .with_fields(options.metrics_of(level).map(metric))
    };
    RequirementSet::new("usage")
        .permission(["ApiEnabled", "ApiUserOnly"], Severity::Required, "")
        .permission(["CustomizeApplication"], Severity::Required, makes)
        .permission(["ModifyMetadata", "ModifyAllData"], Severity::Required, makes)
        .editions(EDITIONS)
        .objects(parents())
        .objects(UsageLevel::ALL.map(object))
}

/// A permission set that reads accounts and contacts, and nothing else.
#[must_use]
pub fn usage_read_schema() -> DesiredSchema {
    let permission_set = permission_set(
        &usage_read_requirements(),
        "Heap_Read",
        "Heap Read",
        "Made by the usage integration: accounts and contacts, to read.",
    );
    DesiredSchema::new("usage_read").permission_set(permission_set)
}

/// What the user needs to read accounts and contacts. Add the fields that are imported.
#[must_use]
pub fn usage_read_requirements() -> RequirementSet {
    RequirementSet::new("usage_read")
        .permission(["ApiEnabled", "ApiUserOnly"], Severity::Required, "")
        .editions(EDITIONS)
        .objects(parents())
}
