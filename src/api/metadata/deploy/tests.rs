use super::*;

fn read(json: &serde_json::Value) -> DeployResult {
    serde_json::from_value(json.clone()).expect("a result")
}

/// An answer with all the guide prints, in the types that the guide prints them in: texts for booleans and numbers.
/// ("Check the Status of Your Deployment Using REST Resources".)
fn printed() -> serde_json::Value {
    serde_json::json!({
        "id": "0AfD00000000001KAA",
        "url": "https://host/services/data/vXX.0/metadata/deployRequest/0AfD00000000001KAA?includeDetails=true",
        "deployResult": {
            "checkOnly": "false", "ignoreWarnings": "false", "rollbackOnError": "true", "status": "InProgress",
            "numberComponentsDeployed": "10", "numberComponentsTotal": "1032", "numberComponentErrors": "0",
            "numberTestsCompleted": "45", "numberTestsTotal": "135", "numberTestErrors": "0",
            "details": {
                "componentFailures": [], "componentSuccesses": [], "retrieveResult": null,
                "runTestResults": {"numRun": 0, "successes": [], "failures": []},
            },
            "createdDate": "2017-10-10T08:22Z", "startDate": "2017-10-10T08:22:05.000+0000",
            "lastModifiedDate": "2017-10-10T08:44Z", "completedDate": null,
            "errorStatusCode": null, "errorMessage": null, "stateDetail": "Processing Type: Apex Component",
            "createdBy": "005xx0000001Sv1m", "createdByName": "stephanie stevens", "canceledBy": null,
            "canceledByName": null, "isRunTestsEnabled": null,
        },
        "deployOptions": {"allowMissingFiles": false, "runTests": null, "testLevel": null},
    })
}

#[test]
fn texts_for_numbers_and_booleans_are_read_and_what_is_missing_is_none() {
    let answer: Answer = serde_json::from_value(printed()).expect("an answer");
    let result = answer.deploy_result.expect("a result");
    assert_eq!((result.number_components_deployed, result.number_components_total), (10, 1032));
    assert_eq!((result.number_tests_completed, result.number_tests_total), (45, 135));
    assert!(result.rollback_on_error && !result.check_only && !result.is_done());
    assert_eq!(result.created_date, None, "without seconds");
    assert!(result.start_date.is_some());
    assert_eq!(result.state_detail.as_deref(), Some("Processing Type: Apex Component"));
    assert_eq!(
        result.details,
        Some(DeployDetails { run_test_result: Some(RunTestsResult::default()), ..DeployDetails::default() })
    );
    // The shortest answer: that to a deploy that was begun.
    let begun = read(&serde_json::json!({"id": "0AfD00000000001KAA", "success": false, "checkOnly": false,
        "ignoreWarnings": false, "rollbackOnError": true, "status": "Pending", "runTestsEnabled": false, "done": false}));
    assert_eq!((begun.status.clone(), begun.is_done(), begun.details), (DeployStatus::Pending, false, None));
    for wrong in [r#"{"status":"Failed","success":"maybe"}"#, r#"{"status":"Failed","numberTestErrors":"many"}"#, "{}"]
    {
        assert!(serde_json::from_str::<DeployResult>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_status_is_read_and_unknown_ones_keep_their_name() {
    // Metadata API Developer Guide, `DeployResult.status`; WSDL 63.0, `DeployStatus`.
    for (word, status, done) in [
        ("Pending", DeployStatus::Pending, false),
        ("InProgress", DeployStatus::InProgress, false),
        ("FinalizingDeploy", DeployStatus::FinalizingDeploy, false),
        ("FinalizingDeployFailed", DeployStatus::FinalizingDeployFailed, true),
        ("Succeeded", DeployStatus::Succeeded, true),
        ("SucceededPartial", DeployStatus::SucceededPartial, true),
        ("Failed", DeployStatus::Failed, true),
        ("Canceling", DeployStatus::Canceling, false),
        ("Canceled", DeployStatus::Canceled, true),
        ("Paused", DeployStatus::Other("Paused".into()), false),
    ] {
        let result = read(&serde_json::json!({"status": word}));
        assert_eq!((&result.status, result.is_done()), (&status, done), "{word}");
        assert_eq!(status.to_string(), word);
        let told = read(&serde_json::json!({"status": word, "done": (!done).to_string()}));
        assert_eq!(told.is_done(), !done, "what Salesforce says counts: {word}");
    }
}

#[test]
fn details_are_a_list_or_one_thing_or_none() {
    let message = serde_json::json!({"componentType": "CustomField", "fullName": "Account.A__c",
        "fileName": "objects/Account.object", "success": "false", "created": false, "changed": true, "deleted": "0",
        "problem": "no", "problemType": "Error", "lineNumber": "12", "columnNumber": 4, "id": null,
        "createdDate": "2026-05-01T07:25:37.000Z", "something": "new"});
    let none = serde_json::Value::Null;
    for (failures, count) in [
        (none.clone(), 0),
        (message.clone(), 1),
        (serde_json::json!([]), 0),
        (serde_json::json!([message, message]), 2),
    ] {
        let result = read(&serde_json::json!({"status": "Failed", "details": {"componentFailures": failures}}));
        assert_eq!(result.failures().len(), count);
        for one in result.failures() {
            assert_eq!(
                (one.line, one.column, one.problem_type.as_ref()),
                (Some(12), Some(4), Some(&ProblemType::Error))
            );
            assert_eq!((one.success, one.created, one.changed, one.deleted), (false, false, true, false));
            assert_eq!(one.to_string(), "CustomField Account.A__c");
        }
    }
    assert_eq!(read(&serde_json::json!({"status": "Failed", "details": none})).details, None);
    let package = read(&serde_json::json!({"status": "Failed", "details": {"componentFailures":
        {"componentType": "", "fullName": "package.xml", "problemType": "Mystery"}}}));
    assert_eq!(package.failures()[0].to_string(), "package.xml");
    assert_eq!(package.failures()[0].problem_type, Some(ProblemType::Other("Mystery".into())));
}

#[test]
fn tests_are_counted_by_each_of_the_names_they_come_under_and_by_both() {
    let two = serde_json::json!({"numRun": "2", "numTestsRun": 2, "numFailures": 0});
    for (details, count) in [
        (serde_json::json!({"runTestResult": {"numRun": 2}}), 2),
        (serde_json::json!({"runTestResults": {"numTestsRun": 2}}), 2),
        (serde_json::json!({"runTestResult": two, "runTestResults": two}), 2),
        (serde_json::json!({"runTestResult": null, "runTestResults": two}), 2),
        (serde_json::json!({"runTestResult": {}}), 0),
    ] {
        let result = read(&serde_json::json!({"status": "Succeeded", "details": details}));
        let tests = result.details.and_then(|details| details.run_test_result).expect("tests");
        assert_eq!(tests.num_tests, count, "{details}");
    }
}

#[test]
fn an_answer_cut_at_any_byte_is_no_answer() {
    let whole = printed().to_string();
    for end in 0..whole.len() {
        assert!(serde_json::from_str::<Answer>(&whole[..end]).is_err(), "{end}");
    }
}

fn failed(problems: &[(&str, &str)]) -> DeployResult {
    let failures: Vec<_> = problems
        .iter()
        .map(|(name, problem)| {
            serde_json::json!({"componentType": "CustomField", "fullName": name, "fileName": "objects/A.object",
                "problem": problem, "problemType": "Error", "lineNumber": 3, "columnNumber": 7})
        })
        .collect();
    read(&serde_json::json!({"id": "0AfD00000000001KAA", "status": "Failed", "done": true, "rollbackOnError": true,
        "numberComponentErrors": failures.len(), "details": {"componentFailures": failures}}))
}

#[test]
fn the_error_names_every_component_that_was_refused_and_what_to_do() {
    let error =
        failed(&[("A__c.B__c", "You cannot deploy to a required field: A__c.B__c"), ("A__c.C__c", "Something else")])
            .into_result()
            .expect_err("refused");
    assert_eq!((error.kind(), error.effect(), error.retry()), (ErrorKind::Invalid, Effect::None, Retry::Never));
    let line = error.to_string();
    for part in ["0AfD00000000001KAA", "CustomField A__c.B__c", "CustomField A__c.C__c", "components_refused 2"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(error.advice().is_some_and(|advice| advice.contains("out of the permission set")), "{line}");
    let source = std::error::Error::source(&error).expect("the words");
    assert!(source.downcast_ref::<DeployFailures>().is_some_and(|failures| failures.components.len() == 2));
    assert!(source.to_string().contains("CustomField A__c.C__c (objects/A.object:3:7): Something else"), "{source}");
}

#[test]
fn many_components_that_were_refused_are_counted_in_the_line_and_named_by_the_source() {
    let names: Vec<String> = (0..300).map(|number| format!("A__c.F{number}__c")).collect();
    let problems: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "no")).collect();
    let error = failed(&problems).into_result().expect_err("refused");
    let source = std::error::Error::source(&error).expect("the words").to_string();
    assert!(names.iter().all(|name| source.contains(&format!("{name} "))));
    let line = error.to_string();
    assert!(line.contains("components_refused 300") && line.len() < 1500, "{line}");
}

#[test]
fn the_effect_is_none_only_where_all_was_undone_or_nothing_done() {
    let result = |status: &str, rollback: bool, check: bool| {
        read(&serde_json::json!({"status": status, "done": true, "rollbackOnError": rollback, "checkOnly": check}))
    };
    for (status, rollback, check, effect) in [
        ("Failed", true, false, Effect::None),
        ("Failed", false, false, Effect::Unknown),
        ("Failed", false, true, Effect::None),
        ("Canceled", true, false, Effect::None),
        ("SucceededPartial", false, false, Effect::Unknown),
        ("FinalizingDeployFailed", true, false, Effect::Unknown),
        ("Gone", true, false, Effect::Unknown),
    ] {
        let error = result(status, rollback, check).into_result().expect_err(status);
        assert_eq!(error.effect(), effect, "{status}");
        assert_eq!(error.kind() == ErrorKind::Conflict, status == "Canceled");
    }
    assert!(result("Succeeded", true, false).into_result().is_ok());
    let odd = read(&serde_json::json!({"status": "SucceededWell", "done": true, "success": true}));
    assert!(odd.into_result().is_ok());
    let going = read(&serde_json::json!({"status": "InProgress"})).into_result().expect_err("has not ended");
    assert_eq!((going.kind(), going.retry()), (ErrorKind::Unavailable, Retry::After(None)));
}

#[test]
fn a_deploy_that_failed_as_a_whole_or_by_its_tests_says_so() {
    let whole = read(&serde_json::json!({"status": "Failed", "done": true, "rollbackOnError": true,
        "errorStatusCode": "UNKNOWN_EXCEPTION", "errorMessage": "An unexpected error occurred."}));
    let error = whole.into_result().expect_err("failed");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Never));
    assert!(error.has_code("UNKNOWN_EXCEPTION"));
    let tests = read(&serde_json::json!({"status": "Failed", "done": true, "numberTestErrors": 1, "details": {
        "runTestResult": {"numTestsRun": "3", "numFailures": 1, "totalTime": 41.0,
            "failures": {"name": "ATest", "methodName": "works", "message": "System.AssertException", "time": 3.0},
            "successes": [{"name": "BTest", "methodName": "works"}, {"name": "BTest", "methodName": "too"}],
            "codeCoverageWarnings": {"name": null, "message": "Average test coverage is 10%"}}}}));
    let ran = tests.details.as_ref().and_then(|details| details.run_test_result.as_ref()).expect("tests");
    assert_eq!((ran.num_tests, ran.num_failures, ran.successes.len()), (3, 1, 2));
    assert_eq!(ran.code_coverage_warnings[0].name, None);
    let error = tests.into_result().expect_err("failed");
    let source = std::error::Error::source(&error).expect("the words").to_string();
    assert!(source.contains("test ATest.works: System.AssertException"), "{source}");
    assert!(error.to_string().contains("tests failed"), "{error}");
}

#[test]
fn what_is_no_zip_or_too_large_is_not_sent() {
    for (zip, wrong) in [
        (Vec::new(), true),
        (b"<Package/>".to_vec(), true),
        // A zip without files.
        (b"PK\x05\x06".to_vec(), true),
        (b"PK\x03\x04".to_vec(), false),
    ] {
        assert_eq!(check_zip(&zip).is_err(), wrong, "{zip:?}");
    }
    let mut large = vec![0; MAX_ZIP + 1];
    large[..4].copy_from_slice(b"PK\x03\x04");
    let error = check_zip(&large).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("limit_bytes"), "{error}");
    assert!(check_zip(&large[..MAX_ZIP]).is_ok());
}
