//! What is in an org nobody has worked in: its own record, users, profiles, permission sets, stages.

use std::collections::HashSet;

use super::data::{Data, Rights, Writer};
use super::duplicates::DuplicateOptions;
use super::ids;
use super::json::Json;
use super::licenses;
use super::schema::Schema;

/// Records of setup that the rest of the org refers to.
#[derive(Debug)]
pub(crate) struct Seeded {
    pub(crate) org_id: String,
    /// The user that integrations log in as; all rights.
    pub(crate) user_id: String,
    /// Profiles that grant everything on objects and fields that are open.
    pub(crate) open_profiles: HashSet<String>,
}

struct Seeder<'a> {
    schema: &'a Schema,
    data: &'a mut Data,
    writer: Writer,
}

impl Seeder<'_> {
    /// A record; an unknown object or field leaves nothing, which the tests would notice.
    fn add<const N: usize>(&mut self, object: &str, values: [(&str, Json); N]) -> String {
        self.add_as(None, object, values)
    }

    /// A record of that id.
    fn add_as<const N: usize>(&mut self, id: Option<String>, object: &str, values: [(&str, Json); N]) -> String {
        let members: Vec<(String, Json)> = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let Some(object) = self.schema.object(object) else { return String::new() };
        self.data.create_as(self.schema, &self.writer, object, &members, None, id).unwrap_or_default()
    }
}

/// `number` tells orgs apart; it makes the org's id.
pub(crate) fn seed(schema: &Schema, data: &mut Data, username: &str, number: u64, sandbox: bool) -> Seeded {
    // The first user, who made everything else.
    let admin = ids::make("005", 1);
    let writer = Writer {
        user: admin,
        base: String::new(),
        duplicates: DuplicateOptions::ALLOW,
        rights: Rights::System,
        view: None,
    };
    let mut seeder = Seeder { schema, data, writer };
    let org_id = organization(&mut seeder, number, sandbox);
    let (user_id, open_profiles) = users(&mut seeder, username, &org_id);
    stages(&mut seeder);
    Seeded { org_id, user_id, open_profiles }
}

/// Keys of recorded: rest/organization-record.json.
fn organization(seeder: &mut Seeder<'_>, number: u64, sandbox: bool) -> String {
    seeder.add_as(
        Some(ids::make("00D", number)),
        "Organization",
        [
            ("Name", "Mock Org".into()),
            ("Country", "US".into()),
            ("PrimaryContact", "Admin User".into()),
            ("DefaultLocaleSidKey", "en_US".into()),
            ("TimeZoneSidKey", "America/Los_Angeles".into()),
            ("LanguageLocaleKey", "en_US".into()),
            ("ReceivesInfoEmails", true.into()),
            ("ReceivesAdminInfoEmails", true.into()),
            ("PreferencesLightningLoginEnabled", true.into()),
            ("FiscalYearStartMonth", Json::number(1)),
            ("DefaultAccountAccess", "Edit".into()),
            ("DefaultContactAccess", "ControlledByParent".into()),
            ("DefaultOpportunityAccess", "Edit".into()),
            ("DefaultLeadAccess", "ReadEditTransfer".into()),
            ("DefaultCaseAccess", "ReadEditTransfer".into()),
            ("DefaultCalendarAccess", "HideDetailsInsert".into()),
            ("DefaultPricebookAccess", "ReadSelect".into()),
            ("DefaultCampaignAccess", "All".into()),
            ("UiSkin", "Theme3".into()),
            ("SignupCountryIsoCode", "US".into()),
            ("NumKnowledgeService", Json::number(2)),
            ("OrganizationType", "Developer Edition".into()),
            ("InstanceName", "MOCK1".into()),
            ("IsSandbox", sandbox.into()),
            ("WebToCaseDefaultOrigin", "Web".into()),
            ("MonthlyPageViewsUsed", Json::number(0)),
            ("MonthlyPageViewsEntitlement", Json::number(0)),
        ],
    )
}

/// A profile and the permission set that stands for it (wire facts 5).
fn profile(seeder: &mut Seeder<'_>, license: &str, name: &str, all: bool, api: bool) -> (String, String) {
    let flag = Json::Bool;
    let profile = seeder.add(
        "Profile",
        [
            ("Name", name.into()),
            ("UserLicenseId", license.into()),
            ("UserType", "Standard".into()),
            ("PermissionsApiEnabled", flag(api)),
            ("PermissionsViewAllData", flag(all)),
            ("PermissionsModifyAllData", flag(all)),
            ("PermissionsCustomizeApplication", flag(all)),
            ("PermissionsModifyMetadata", flag(all)),
            ("PermissionsViewSetup", flag(all)),
            ("PermissionsManageUsers", flag(all)),
            ("PermissionsAssignPermissionSets", flag(all)),
            ("PermissionsManageProfilesPermissionsets", flag(all)),
        ],
    );
    let set = seeder.add(
        "PermissionSet",
        [
            ("Name", Json::string(format!("X{}", ids::short(&profile)))),
            ("Label", Json::string(ids::short(&profile))),
            ("IsOwnedByProfile", flag(true)),
            ("ProfileId", Json::string(&profile)),
            ("LicenseId", license.into()),
            ("Type", "Profile".into()),
            ("PermissionsApiEnabled", flag(api)),
            ("PermissionsAssignPermissionSets", flag(all)),
            ("PermissionsAuthorApex", flag(all)),
            ("PermissionsCustomizeApplication", flag(all)),
            ("PermissionsManageDataIntegrations", flag(all)),
            ("PermissionsManageProfilesPermissionsets", flag(all)),
            ("PermissionsManageUsers", flag(all)),
            ("PermissionsModifyAllData", flag(all)),
            ("PermissionsModifyMetadata", flag(all)),
            ("PermissionsRunReports", flag(true)),
            ("PermissionsViewAllData", flag(all)),
            ("PermissionsViewAllUsers", flag(all)),
            ("PermissionsViewSetup", flag(all)),
        ],
    );
    (profile, set)
}

fn users(seeder: &mut Seeder<'_>, username: &str, org_id: &str) -> (String, HashSet<String>) {
    let license = |seeder: &mut Seeder<'_>, name: &str, key: &str| {
        seeder.add(
            "UserLicense",
            [
                ("Name", name.into()),
                ("MasterLabel", name.into()),
                ("LicenseDefinitionKey", key.into()),
                ("Status", "Active".into()),
                ("TotalLicenses", Json::number(10)),
                ("UsedLicenses", Json::number(3)),
            ],
        )
    };
    let salesforce = license(seeder, "Salesforce", "SFDC");
    let integration = license(seeder, "Salesforce Integration", "SalesforceIntegration");
    let administrator = profile(seeder, &salesforce, "System Administrator", true, true);
    let standard = profile(seeder, &salesforce, "Standard User", false, true);
    profile(seeder, &salesforce, "Minimum Access - Salesforce", false, false);
    profile(seeder, &integration, "Minimum Access - API Only Integrations", false, true);
    // Help, "Give Integration Users API Only Access".
    profile(seeder, &integration, "Salesforce API Only System Integrations", false, true);
    seeder.add(
        "PermissionSetLicense",
        [
            ("DeveloperName", licenses::INTEGRATION_SET.into()),
            ("MasterLabel", "Salesforce API Integration".into()),
            ("PermissionSetLicenseKey", licenses::INTEGRATION_SET.into()),
            ("Language", "en_US".into()),
            ("Status", "Active".into()),
            // [S] Five of them in a new org.
            ("TotalLicenses", Json::number(5)),
            ("UsedLicenses", Json::number(0)),
        ],
    );
    let mut add = |first: Option<&str>, last: &str, name: &str, (profile, set): &(String, String)| {
        let alias: String = last.to_lowercase().chars().take(8).collect();
        let user = seeder.add(
            "User",
            [
                ("Username", name.into()),
                ("FirstName", first.map(str::to_owned).into()),
                ("LastName", last.into()),
                ("Email", name.into()),
                ("Alias", alias.into()),
                ("CommunityNickname", name.into()),
                ("IsActive", true.into()),
                ("TimeZoneSidKey", "America/Los_Angeles".into()),
                ("LocaleSidKey", "en_US".into()),
                ("EmailEncodingKey", "UTF-8".into()),
                ("LanguageLocaleKey", "en_US".into()),
                ("ProfileId", Json::string(profile)),
                ("Country", "US".into()),
            ],
        );
        if !set.is_empty() {
            let assignment = [
                ("AssigneeId", Json::string(&user)),
                ("PermissionSetId", Json::string(set)),
                ("IsActive", true.into()),
            ];
            seeder.add("PermissionSetAssignment", assignment);
        }
        user
    };
    add(Some("Admin"), "User", "admin@mock.example.com", &administrator);
    let user = add(Some("Integration"), "Engagement", username, &administrator);
    add(Some("Sally"), "Seller", "sally.seller@mock.example.com", &standard);
    // recorded: rest/query-users-with-profile.json. The platform's own user has a profile nobody can see.
    let hidden = (ids::make("00e", 99), String::new());
    let process = format!("autoproc@{}", org_id.to_lowercase());
    add(Some("Automated"), "Process", &process, &hidden);
    (user, HashSet::from([administrator.0, standard.0]))
}

/// Stages and lead statuses of a new org; the names are recorded: describe/Opportunity.describe.json. [K] The
/// probabilities and categories of the stages.
fn stages(seeder: &mut Seeder<'_>) {
    const STAGES: [(&str, u32, &str, &str); 10] = [
        ("Prospecting", 10, "Pipeline", "Pipeline"),
        ("Qualification", 10, "Pipeline", "Pipeline"),
        ("Needs Analysis", 20, "Pipeline", "Pipeline"),
        ("Value Proposition", 50, "Pipeline", "Pipeline"),
        ("Id. Decision Makers", 60, "Pipeline", "Pipeline"),
        ("Perception Analysis", 70, "Pipeline", "Pipeline"),
        ("Proposal/Price Quote", 75, "BestCase", "Best Case"),
        ("Negotiation/Review", 90, "Forecast", "Commit"),
        ("Closed Won", 100, "Closed", "Closed"),
        ("Closed Lost", 0, "Omitted", "Omitted"),
    ];
    let statuses = ["Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"];
    for (place, (name, probability, category, category_name)) in STAGES.into_iter().enumerate() {
        seeder.add(
            "OpportunityStage",
            [
                ("MasterLabel", name.into()),
                ("ApiName", name.into()),
                ("IsActive", true.into()),
                ("SortOrder", Json::number(place + 1)),
                ("IsClosed", name.starts_with("Closed").into()),
                ("IsWon", (name == "Closed Won").into()),
                ("ForecastCategory", category.into()),
                ("ForecastCategoryName", category_name.into()),
                ("DefaultProbability", Json::number(probability)),
            ],
        );
    }
    for (place, name) in statuses.into_iter().enumerate() {
        seeder.add(
            "LeadStatus",
            [
                ("MasterLabel", name.into()),
                ("ApiName", name.into()),
                ("SortOrder", Json::number(place + 1)),
                ("IsDefault", (place == 0).into()),
                ("IsConverted", (place == 2).into()),
            ],
        );
    }
}
