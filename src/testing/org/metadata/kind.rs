//! The component types of the org, and where a package keeps them.

use super::Fault;

/// A component type the org has, in the order in which a deployment makes components: what others need comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Object,
    Field,
    BusinessProcess,
    CompactLayout,
    FieldSet,
    Index,
    ListView,
    SharingReason,
    ValidationRule,
    WebLink,
    RemoteSiteSetting,
    ExternalCredential,
    NamedCredential,
    ApexClass,
    WorkflowAlert,
    WorkflowFieldUpdate,
    WorkflowOutboundMessage,
    WorkflowTask,
    WorkflowRule,
    /// All of an object's workflow in one file; its parts are what is kept.
    Workflow,
    QuickAction,
    Layout,
    Flow,
    PermissionSet,
}

/// A type's name, its folder in a package and the ending of its files.
// recorded: metadata-soap/legacy-v23-describe_metadata-success.xml; Metadata guide, pages of the types.
const TABLE: [(Kind, &str, &str, &str); 24] = [
    (Kind::Object, "CustomObject", "objects", "object"),
    (Kind::Field, "CustomField", "objects", "object"),
    (Kind::BusinessProcess, "BusinessProcess", "objects", "object"),
    (Kind::CompactLayout, "CompactLayout", "objects", "object"),
    (Kind::FieldSet, "FieldSet", "objects", "object"),
    (Kind::Index, "Index", "objects", "object"),
    (Kind::ListView, "ListView", "objects", "object"),
    (Kind::SharingReason, "SharingReason", "objects", "object"),
    (Kind::ValidationRule, "ValidationRule", "objects", "object"),
    (Kind::WebLink, "WebLink", "objects", "object"),
    (Kind::RemoteSiteSetting, "RemoteSiteSetting", "remoteSiteSettings", "remoteSite"),
    (Kind::ExternalCredential, "ExternalCredential", "externalCredentials", "externalCredential"),
    (Kind::NamedCredential, "NamedCredential", "namedCredentials", "namedCredential"),
    (Kind::ApexClass, "ApexClass", "classes", "cls"),
    (Kind::WorkflowAlert, "WorkflowAlert", "workflows", "workflow"),
    (Kind::WorkflowFieldUpdate, "WorkflowFieldUpdate", "workflows", "workflow"),
    (Kind::WorkflowOutboundMessage, "WorkflowOutboundMessage", "workflows", "workflow"),
    (Kind::WorkflowTask, "WorkflowTask", "workflows", "workflow"),
    (Kind::WorkflowRule, "WorkflowRule", "workflows", "workflow"),
    (Kind::Workflow, "Workflow", "workflows", "workflow"),
    (Kind::QuickAction, "QuickAction", "quickActions", "quickAction"),
    (Kind::Layout, "Layout", "layouts", "layout"),
    (Kind::Flow, "Flow", "flows", "flow"),
    (Kind::PermissionSet, "PermissionSet", "permissionsets", "permissionset"),
];

/// Names of all types: those that extend `Metadata` in the metadata WSDL of 63.0, and `Settings` for the many that end so.
const TYPES: &str = include_str!("types.txt");

/// The name of a type, kept by this org or not. Of those that are not it has no components.
pub(super) fn type_name(name: &str) -> Option<&'static str> {
    TYPES.split_whitespace().find(|known| *known == name)
}

pub(super) fn is_type(name: &str) -> bool {
    type_name(name).is_some()
}

impl Kind {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(kind, ..)| *kind)
    }

    /// The type of that name, if the org has it.
    pub(crate) fn find(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, known, ..)| *known == name).map(|(kind, ..)| *kind)
    }

    pub(super) fn parse(name: &str) -> Result<Self, Fault> {
        Self::find(name).ok_or_else(|| {
            if name.is_empty() {
                // [S] The text, of a component without `xsi:type`.
                return Fault::new("INVALID_TYPE", "Must send a concrete entity type.");
            }
            Fault::new("INVALID_TYPE", format!("This org keeps no components of type {name}"))
        })
    }

    /// As [`Kind::parse`], of the types that the calls on components take.
    pub(super) fn of_call(name: &str) -> Result<Self, Fault> {
        let kind = Self::parse(name)?;
        if !kind.is_crud() {
            // [K] The text; the rule is documented.
            return Err(Fault::new(
                "INVALID_TYPE",
                format!("{name} is not supported by this call; deploy and retrieve it"),
            ));
        }
        Ok(kind)
    }

    fn row(self) -> &'static (Kind, &'static str, &'static str, &'static str) {
        // Each type has its row.
        TABLE.iter().find(|(kind, ..)| *kind == self).unwrap_or(&TABLE[0])
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    pub(super) fn directory(self) -> &'static str {
        self.row().2
    }

    pub(super) fn suffix(self) -> &'static str {
        self.row().3
    }

    /// The type of the file that is kept in a folder: of objects, not of their fields.
    pub(super) fn of_directory(directory: &str) -> Option<Self> {
        match directory {
            "workflows" => Some(Self::Workflow),
            _ => TABLE.iter().find(|(_, _, known, _)| *known == directory).map(|(kind, ..)| *kind),
        }
    }

    /// The type whose file holds components of this one.
    pub(super) fn parent(self) -> Option<Self> {
        match self {
            Self::Field
            | Self::BusinessProcess
            | Self::CompactLayout
            | Self::FieldSet
            | Self::Index
            | Self::ListView
            | Self::SharingReason
            | Self::ValidationRule
            | Self::WebLink => Some(Self::Object),
            Self::WorkflowAlert
            | Self::WorkflowFieldUpdate
            | Self::WorkflowOutboundMessage
            | Self::WorkflowTask
            | Self::WorkflowRule => Some(Self::Workflow),
            _ => None,
        }
    }

    /// The parts of a file that are components themselves, with the elements they are in. (metadata WSDL, `CustomObject`, `Workflow`)
    pub(super) fn children(self) -> &'static [(&'static str, Self)] {
        match self {
            Self::Object => &[
                ("businessProcesses", Self::BusinessProcess),
                ("compactLayouts", Self::CompactLayout),
                ("fields", Self::Field),
                ("fieldSets", Self::FieldSet),
                ("indexes", Self::Index),
                ("listViews", Self::ListView),
                ("sharingReasons", Self::SharingReason),
                ("validationRules", Self::ValidationRule),
                ("webLinks", Self::WebLink),
            ],
            Self::Workflow => &[
                ("alerts", Self::WorkflowAlert),
                ("fieldUpdates", Self::WorkflowFieldUpdate),
                ("outboundMessages", Self::WorkflowOutboundMessage),
                ("rules", Self::WorkflowRule),
                ("tasks", Self::WorkflowTask),
            ],
            _ => &[],
        }
    }

    /// Whether the calls on components take it.
    // Metadata guide: of Apex classes "deploy and retrieve"; [K] of `Workflow` its parts.
    fn is_crud(self) -> bool {
        !matches!(self, Self::ApexClass | Self::Workflow)
    }

    /// The permission that changing components of this type takes, beside that for the Metadata API itself.
    // Help, "Metadata API Edit Access": "permission that enables use of the feature"; Metadata guide, "PermissionSet".
    // [K] For the types beyond objects, fields and permission sets.
    pub(super) fn permission(self) -> &'static str {
        match self {
            Self::PermissionSet => "ManageProfilesPermissionsets",
            Self::ApexClass => "AuthorApex",
            _ => "CustomizeApplication",
        }
    }
}
