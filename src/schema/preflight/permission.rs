//! System permissions: their names in Setup, and which are broad.

/// System permissions that let a user do far more than move records; told where a job does not need them.
pub(super) const BROAD: [&str; 8] = [
    "ModifyAllData",
    "ViewAllData",
    "ManageUsers",
    "AssignPermissionSets",
    "ManageProfilesPermissionsets",
    "CustomizeApplication",
    "ModifyMetadata",
    "AuthorApex",
];

/// What a report looks at whatever the job.
pub(super) const ALWAYS: [&str; 4] = ["ApiEnabled", "ApiUserOnly", "ViewSetup", "ManageUsers"];

/// The name in Setup of a permission that the Metadata API names so. Words of others are split: `RunReports` is `Run Reports`.
pub(super) fn label(name: &str) -> String {
    let known = match name {
        "ApiEnabled" => "API Enabled",
        "ApiUserOnly" => "API Only User",
        "ViewSetup" => "View Setup and Configuration",
        "ModifyMetadata" => "Modify Metadata Through Metadata API Functions",
        "ManageUsers" => "Manage Internal Users",
        "ManageProfilesPermissionsets" => "Manage Profiles and Permission Sets",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let mut words = String::with_capacity(name.len() + 4);
    for (place, letter) in name.chars().enumerate() {
        if place > 0 && letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter);
    }
    words
}

/// Where a system permission is given.
pub(super) fn path(any_of: &[String]) -> String {
    let labels: Vec<String> = any_of.iter().map(|name| label(name)).collect();
    let (first, others) = labels.split_first().map_or(("", &[][..]), |(first, others)| (first.as_str(), others));
    let others = if others.is_empty() { String::new() } else { format!(" (or {})", others.join(", ")) };
    format!(
        "give the user the permission with a permission set: Setup > Permission Sets > System Permissions > {first}{others}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_have_the_names_of_setup() {
        assert_eq!(label("ApiEnabled"), "API Enabled");
        assert_eq!(label("CustomizeApplication"), "Customize Application");
        assert_eq!(
            path(&["ApiEnabled".into(), "ApiUserOnly".into()]),
            "give the user the permission with a permission set: Setup > Permission Sets > System Permissions > API Enabled (or \
             API Only User)"
        );
    }
}
