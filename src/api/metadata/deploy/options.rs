//! What to deploy how.

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// Which tests a deploy runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TestLevel {
    /// None. Not for Apex in production.
    NoTestRun,
    /// Those that [`DeployOptions::run_tests`] names.
    RunSpecifiedTests,
    /// All but those of managed packages.
    RunLocalTests,
    /// All.
    RunAllTestsInOrg,
    /// Those that Salesforce finds to be concerned. In beta as of API 66.0.
    RunRelevantTests,
}

impl TestLevel {
    /// Salesforce's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoTestRun => "NoTestRun",
            Self::RunSpecifiedTests => "RunSpecifiedTests",
            Self::RunLocalTests => "RunLocalTests",
            Self::RunAllTestsInOrg => "RunAllTestsInOrg",
            Self::RunRelevantTests => "RunRelevantTests",
        }
    }
}

impl Serialize for TestLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How to deploy. By default all or nothing stays, warnings count as failures, and Salesforce decides on the tests.
///
/// Source: Metadata API Developer Guide, `deploy()`, `DeployOptions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the wire")]
#[must_use]
pub struct DeployOptions {
    allow_missing_files: bool,
    auto_update_package: bool,
    pub(super) check_only: bool,
    ignore_warnings: bool,
    /// What was deployed comes back by a retrieve of its own.
    perform_retrieve: bool,
    purge_on_delete: bool,
    rollback_on_error: bool,
    #[serde(serialize_with = "null_for_none")]
    run_tests: Vec<String>,
    single_package: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_level: Option<TestLevel>,
}

/// The guide's example has `null` for no tests.
fn null_for_none<S: Serializer>(tests: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    if tests.is_empty() { serializer.serialize_none() } else { serializer.collect_seq(tests) }
}

impl Default for DeployOptions {
    fn default() -> Self {
        Self {
            allow_missing_files: false,
            auto_update_package: false,
            check_only: false,
            ignore_warnings: false,
            perform_retrieve: false,
            purge_on_delete: false,
            rollback_on_error: true,
            run_tests: Vec::new(),
            single_package: true,
            test_level: None,
        }
    }
}

impl DeployOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks everything and changes nothing. A check that has run its tests can be deployed without them within 10 days:
    /// [`Client::quick_deploy`](crate::Client::quick_deploy).
    pub fn check_only(mut self) -> Self {
        self.check_only = true;
        self
    }

    /// Sets whether one failure undoes all; it does by default. Production orgs refuse `false`.
    pub fn rollback_on_error(mut self, rollback: bool) -> Self {
        self.rollback_on_error = rollback;
        self
    }

    /// Deletes without the recycle bin. Developer Edition and sandboxes only.
    pub fn purge_on_delete(mut self) -> Self {
        self.purge_on_delete = true;
        self
    }

    /// Deploys in spite of warnings. Without, a warning is a failure.
    pub fn ignore_warnings(mut self) -> Self {
        self.ignore_warnings = true;
        self
    }

    /// Deploys even if files that `package.xml` names are not in the zip. Not for production.
    pub fn allow_missing_files(mut self) -> Self {
        self.allow_missing_files = true;
        self
    }

    /// Deploys files of the zip that `package.xml` does not name. Not for production.
    pub fn auto_update_package(mut self) -> Self {
        self.auto_update_package = true;
        self
    }

    /// Sets whether `package.xml` lies at the root of the zip, as it does by default, or in one folder per package.
    pub fn single_package(mut self, single: bool) -> Self {
        self.single_package = single;
        self
    }

    /// Sets which tests run. Without, Salesforce runs the local ones for Apex in production, and none elsewhere.
    pub fn test_level(mut self, level: TestLevel) -> Self {
        self.test_level = Some(level);
        self
    }

    /// Runs these test classes and no others.
    pub fn run_tests(mut self, classes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.run_tests = classes.into_iter().map(Into::into).collect();
        self.test_level(TestLevel::RunSpecifiedTests)
    }

    /// Checks what fits together.
    pub(super) fn check(&self) -> Result<()> {
        let specified = self.test_level == Some(TestLevel::RunSpecifiedTests);
        if specified == self.run_tests.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "deploy", "tests are named exactly where they are specified")
                .with_advice("name test classes by run_tests, and set no other test level after it"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_the_guide_has_them() {
        let json = serde_json::to_value(DeployOptions::new().test_level(TestLevel::NoTestRun)).expect("serialises");
        // REST guide, "Deploy Metadata with Apex Testing Using REST", but for `rollbackOnError`.
        let expected = serde_json::json!({
            "allowMissingFiles": false, "autoUpdatePackage": false, "checkOnly": false, "ignoreWarnings": false,
            "performRetrieve": false, "purgeOnDelete": false, "rollbackOnError": true, "runTests": null,
            "singlePackage": true, "testLevel": "NoTestRun",
        });
        assert_eq!(json, expected);
        let all = DeployOptions::new()
            .check_only()
            .rollback_on_error(false)
            .purge_on_delete()
            .ignore_warnings()
            .allow_missing_files()
            .auto_update_package()
            .single_package(false)
            .run_tests(["ATest", "BTest"]);
        let expected = serde_json::json!({
            "allowMissingFiles": true, "autoUpdatePackage": true, "checkOnly": true, "ignoreWarnings": true,
            "performRetrieve": false, "purgeOnDelete": true, "rollbackOnError": false, "runTests": ["ATest", "BTest"],
            "singlePackage": false, "testLevel": "RunSpecifiedTests",
        });
        assert_eq!(serde_json::to_value(all).expect("serialises"), expected);
        let silent = serde_json::to_value(DeployOptions::new()).expect("serialises");
        assert!(silent.get("testLevel").is_none(), "Salesforce decides");
    }

    #[test]
    fn tests_and_their_level_fit() {
        assert!(DeployOptions::new().check().is_ok());
        assert!(DeployOptions::new().run_tests(["A"]).check().is_ok());
        for wrong in [
            DeployOptions::new().test_level(TestLevel::RunSpecifiedTests),
            DeployOptions::new().run_tests(["A"]).test_level(TestLevel::RunLocalTests),
        ] {
            assert_eq!(wrong.check().expect_err("refused").kind(), ErrorKind::Invalid);
        }
    }
}
