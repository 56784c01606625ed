//! What a deployment is told to do.

use super::super::super::json::Json;
use super::super::super::xml::{Element, is_true};

/// `DeployOptions` of the metadata WSDL, with the defaults of the guide.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the WSDL has them so")]
pub(in crate::testing::org::metadata) struct Options {
    pub(in crate::testing::org::metadata) allow_missing_files: bool,
    pub(in crate::testing::org::metadata) auto_update_package: bool,
    pub(super) check_only: bool,
    pub(in crate::testing::org::metadata) ignore_warnings: bool,
    pub(super) perform_retrieve: bool,
    pub(super) purge_on_delete: bool,
    pub(super) rollback_on_error: bool,
    pub(super) run_tests: Vec<String>,
    pub(in crate::testing::org::metadata) single_package: bool,
    pub(super) test_level: Option<String>,
}

/// `RunRelevantTests` is a beta of the guide.
const TEST_LEVELS: [&str; 5] =
    ["NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests"];

impl Options {
    /// From the part `deployOptions` of a REST request. What it leaves out is off.
    pub(super) fn of_json(options: &Json) -> Result<Self, String> {
        let Json::Object(members) = options else { return Err("deployOptions is no object".to_owned()) };
        let mut read = Self::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                (_, Json::Null) => {}
                ("testLevel", Json::String(level)) => read.test_level = Some(level.clone()),
                ("runTests", Json::Array(tests)) => {
                    read.run_tests = tests.iter().filter_map(Json::as_str).map(str::to_owned).collect();
                }
                // The guide prints booleans as strings in places.
                (_, Json::String(text)) if text == "true" || text == "false" => {
                    read.set(name, text == "true")?;
                }
                (_, Json::Bool(flag)) => read.set(name, *flag)?,
                _ => return Err(format!("deployOptions.{name} has a value of another type")),
            }
        }
        read.checked()
    }

    /// From `DeployOptions` of a SOAP call.
    pub(super) fn of_xml(options: &Element) -> Result<Self, String> {
        let mut read = Self::default();
        for child in options.children.iter().filter(|child| !child.nil) {
            let text = child.text.trim();
            match child.name.as_str() {
                "testLevel" => read.test_level = Some(text.to_owned()),
                "runTests" => read.run_tests.push(text.to_owned()),
                name => read.set(name, is_true(text))?,
            }
        }
        read.checked()
    }

    fn set(&mut self, name: &str, on: bool) -> Result<(), String> {
        *match name {
            "allowMissingFiles" => &mut self.allow_missing_files,
            "autoUpdatePackage" => &mut self.auto_update_package,
            "checkOnly" => &mut self.check_only,
            "ignoreWarnings" => &mut self.ignore_warnings,
            "performRetrieve" => &mut self.perform_retrieve,
            "purgeOnDelete" => &mut self.purge_on_delete,
            "rollbackOnError" => &mut self.rollback_on_error,
            "singlePackage" => &mut self.single_package,
            // The parser's words (wire facts 8, JSON_PARSER_ERROR).
            _ => return Err(format!("Unrecognized field \"{name}\" (Class DeployOptions), not marked as ignorable")),
        } = on;
        Ok(())
    }

    fn checked(self) -> Result<Self, String> {
        match &self.test_level {
            Some(level) if !TEST_LEVELS.contains(&level.as_str()) => {
                Err(format!("'{level}' is not a valid value for the enum 'TestLevel'"))
            }
            // Metadata guide: "If you specify RunSpecifiedTests, list the tests in runTests". [K] The text.
            Some(level) if level == "RunSpecifiedTests" && self.run_tests.is_empty() => {
                Err("The test level RunSpecifiedTests needs runTests".to_owned())
            }
            _ => Ok(self),
        }
    }

    pub(super) fn runs_tests(&self) -> bool {
        self.test_level.as_deref().is_some_and(|level| level != "NoTestRun")
    }

    pub(super) fn to_json(&self) -> Json {
        let tests = self.run_tests.iter().map(Json::string).collect();
        Json::object([
            ("allowMissingFiles", self.allow_missing_files.into()),
            ("autoUpdatePackage", self.auto_update_package.into()),
            ("checkOnly", self.check_only.into()),
            ("ignoreWarnings", self.ignore_warnings.into()),
            ("performRetrieve", self.perform_retrieve.into()),
            ("purgeOnDelete", self.purge_on_delete.into()),
            ("rollbackOnError", self.rollback_on_error.into()),
            ("runTests", if self.run_tests.is_empty() { Json::Null } else { Json::Array(tests) }),
            ("singlePackage", self.single_package.into()),
            ("testLevel", self.test_level.clone().into()),
        ])
    }
}
