//! Where the components of a type stand in a package.

/// Where a type's files stand, and of what they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) component_type: &'static str,
    pub(super) directory: &'static str,
    pub(super) suffix: &'static str,
    /// Whether the content is a file of its own, beside one of XML whose name ends in `-meta.xml`.
    pub(super) content: bool,
}

const fn plain(component_type: &'static str, directory: &'static str, suffix: &'static str) -> Place {
    Place { component_type, directory, suffix, content: false }
}

const fn content(component_type: &'static str, directory: &'static str, suffix: &'static str) -> Place {
    Place { component_type, directory, suffix, content: true }
}

/// Not `Settings`: the root elements of those files are types of their own, such as `AccountSettings`.
///
/// Source: Metadata API Developer Guide, "Metadata Types", each type's "File Suffix and Directory Location".
const PLACES: [Place; 60] = [
    content("ApexClass", "classes", "cls"),
    content("ApexComponent", "components", "component"),
    content("ApexPage", "pages", "page"),
    content("ApexTrigger", "triggers", "trigger"),
    content("StaticResource", "staticresources", "resource"),
    plain("AppMenu", "appMenus", "appMenu"),
    plain("ApprovalProcess", "approvalProcesses", "approvalProcess"),
    plain("AssignmentRules", "assignmentRules", "assignmentRules"),
    plain("AuthProvider", "authproviders", "authprovider"),
    plain("AutoResponseRules", "autoResponseRules", "autoResponseRules"),
    plain("ConnectedApp", "connectedApps", "connectedApp"),
    plain("CorsWhitelistOrigin", "corsWhitelistOrigins", "corsWhitelistOrigin"),
    plain("CspTrustedSite", "cspTrustedSites", "cspTrustedSite"),
    plain("CustomApplication", "applications", "app"),
    plain("CustomLabels", "labels", "labels"),
    plain("CustomMetadata", "customMetadata", "md"),
    plain("CustomNotificationType", "notificationtypes", "notiftype"),
    plain("CustomObject", "objects", "object"),
    plain("CustomObjectTranslation", "objectTranslations", "objectTranslation"),
    plain("CustomPermission", "customPermissions", "customPermission"),
    plain("CustomSite", "sites", "site"),
    plain("CustomTab", "tabs", "tab"),
    plain("DuplicateRule", "duplicateRules", "duplicateRule"),
    plain("EscalationRules", "escalationRules", "escalationRules"),
    plain("ExternalClientApplication", "externalClientApps", "eca"),
    plain("ExternalCredential", "externalCredentials", "externalCredential"),
    plain("ExternalDataSource", "dataSources", "dataSource"),
    plain("ExternalServiceRegistration", "externalServiceRegistrations", "externalServiceRegistration"),
    plain("FlexiPage", "flexipages", "flexipage"),
    plain("Flow", "flows", "flow"),
    plain("FlowDefinition", "flowDefinitions", "flowDefinition"),
    plain("GlobalValueSet", "globalValueSets", "globalValueSet"),
    plain("Group", "groups", "group"),
    plain("InstalledPackage", "installedPackages", "installedPackage"),
    plain("Layout", "layouts", "layout"),
    plain("ManagedEventSubscription", "managedEventSubscriptions", "managedEventSubscription"),
    plain("MatchingRules", "matchingRules", "matchingRule"),
    plain("MutingPermissionSet", "mutingpermissionsets", "mutingpermissionset"),
    plain("NamedCredential", "namedCredentials", "namedCredential"),
    plain("NotificationTypeConfig", "notificationTypeConfig", "config"),
    plain("PathAssistant", "pathAssistants", "pathAssistant"),
    plain("PermissionSet", "permissionsets", "permissionset"),
    plain("PermissionSetGroup", "permissionsetgroups", "permissionsetgroup"),
    plain("PlatformEventChannel", "platformEventChannels", "platformEventChannel"),
    plain("PlatformEventChannelMember", "platformEventChannelMembers", "platformEventChannelMember"),
    plain("PlatformEventSubscriberConfig", "PlatformEventSubscriberConfigs", "platformEventSubscriberConfig"),
    plain("Profile", "profiles", "profile"),
    plain("Queue", "queues", "queue"),
    plain("QuickAction", "quickActions", "quickAction"),
    plain("RemoteSiteSetting", "remoteSiteSettings", "remoteSite"),
    plain("Report", "reports", "report"),
    plain("ReportType", "reportTypes", "reportType"),
    plain("Role", "roles", "role"),
    plain("SamlSsoConfig", "samlssoconfigs", "samlssoconfig"),
    plain("SharingRules", "sharingRules", "sharingRules"),
    plain("SharingSet", "sharingSets", "sharingSet"),
    plain("StandardValueSet", "standardValueSets", "standardValueSet"),
    plain("TopicsForObjects", "topicsForObjects", "topicsForObjects"),
    plain("Translations", "translations", "translation"),
    plain("Workflow", "workflows", "workflow"),
];

/// A type whose components stand in the file of another one: type, type of the file, element.
pub(super) const PARTS: [(&str, &str, &str); 20] = [
    ("BusinessProcess", "CustomObject", "businessProcesses"),
    ("CompactLayout", "CustomObject", "compactLayouts"),
    ("CustomField", "CustomObject", "fields"),
    ("FieldSet", "CustomObject", "fieldSets"),
    ("Index", "CustomObject", "indexes"),
    ("ListView", "CustomObject", "listViews"),
    ("RecordType", "CustomObject", "recordTypes"),
    ("SharingReason", "CustomObject", "sharingReasons"),
    ("ValidationRule", "CustomObject", "validationRules"),
    ("WebLink", "CustomObject", "webLinks"),
    ("SharingCriteriaRule", "SharingRules", "sharingCriteriaRules"),
    ("SharingOwnerRule", "SharingRules", "sharingOwnerRules"),
    ("WorkflowAlert", "Workflow", "alerts"),
    ("WorkflowFieldUpdate", "Workflow", "fieldUpdates"),
    ("WorkflowFlowAction", "Workflow", "flowActions"),
    ("WorkflowKnowledgePublish", "Workflow", "knowledgePublishes"),
    ("WorkflowOutboundMessage", "Workflow", "outboundMessages"),
    ("WorkflowRule", "Workflow", "rules"),
    ("WorkflowSend", "Workflow", "send"),
    ("WorkflowTask", "Workflow", "tasks"),
];

/// Where components of the type stand, if they have files of their own.
pub(super) fn place_of(component_type: &str) -> Option<Place> {
    PLACES.iter().find(|place| place.component_type == component_type).copied()
}

/// The type of the file, and the element in it, of a type that has no files of its own.
pub(super) fn part_of(component_type: &str) -> Option<(&'static str, &'static str)> {
    PARTS.iter().find(|(part, ..)| *part == component_type).map(|(_, whole, element)| (*whole, *element))
}

/// The place of that directory.
pub(super) fn place_in(directory: &str) -> Option<Place> {
    PLACES.iter().find(|place| place.directory == directory).copied()
}

/// The place and full name that a path tells, such as `objects/Account.object`.
pub(super) fn place_at(path: &str) -> Option<(Place, &str)> {
    let (directory, file) = path.split_once('/')?;
    let place = place_in(directory)?;
    let name = file.strip_suffix(place.suffix)?.strip_suffix('.')?;
    (!name.is_empty()).then_some((place, name))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_type_and_each_directory_stands_once() {
        let types: HashSet<&str> = PLACES.iter().map(|place| place.component_type).collect();
        let directories: HashSet<&str> = PLACES.iter().map(|place| place.directory).collect();
        assert_eq!((types.len(), directories.len()), (PLACES.len(), PLACES.len()));
        for (part, whole, _) in PARTS {
            assert!(place_of(part).is_none() && place_of(whole).is_some_and(|place| !place.content), "{part}");
        }
    }

    #[test]
    fn a_path_tells_its_place_and_a_foreign_one_none() {
        let (place, name) = place_at("layouts/Contact-Contact Layout.layout").expect("known");
        assert_eq!((place.component_type, name), ("Layout", "Contact-Contact Layout"));
        for foreign in ["layouts/x.object", "layouts/.layout", "layouts/layout", "x.layout", "lwc/a/a.js"] {
            assert_eq!(place_at(foreign), None, "{foreign}");
        }
    }
}
