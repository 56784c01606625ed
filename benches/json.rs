//! What building SOQL costs: a statement as products write them, the same bound into raw text, and a long list cut for addresses.
//!
//! `cargo bench --bench soql`.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sforce::types::soql::field;
use sforce::types::{DateLiteral, DateUnit, LikePattern, Literal, Soql, SoqlBudget, split_in_list};

fn built() -> Soql {
    let recent = field("CreatedDate").ge(DateLiteral::LastN(30, DateUnit::Day));
    let named = field("Name").like(LikePattern::contains("50% o'f")).or(field("Industry").is_in(["Energy", "Media"]));
    let select = Soql::select(["Id", "Name", "Owner.Name", "Owner.Email"]).from("Account").filter(recent.and(named));
    select.order_by([field("Id").asc()]).limit(200).build().expect("builds")
}

fn bound() -> Soql {
    let statement = "SELECT Id,Name,Owner.Name,Owner.Email FROM Account WHERE CreatedDate >= :since AND (Name LIKE :name OR \
        Industry IN :industries) ORDER BY Id ASC NULLS FIRST LIMIT 200";
    let values = [
        ("since", DateLiteral::LastN(30, DateUnit::Day).into()),
        ("name", LikePattern::contains("50% o'f").into()),
        ("industries", ["Energy", "Media"].as_slice().into()),
    ];
    Soql::bind(statement, values).expect("binds")
}

fn soql(criterion: &mut Criterion) {
    assert_eq!(built(), bound(), "both do the same");
    criterion.bench_function("build", |bench| bench.iter(|| black_box(built())));
    criterion.bench_function("bind", |bench| bench.iter(|| black_box(bound())));

    let keys: Vec<String> = (0..10_000).map(|number| format!("ada.{number}@example.com")).collect();
    let split =
        |keys: &[String]| split_in_list("SELECT Id FROM Contact WHERE Email IN :keys", "keys", keys).expect("cuts");
    criterion.bench_function("split 10,000 keys", |bench| bench.iter(|| black_box(split(&keys))));
    let literals: Vec<Literal> = keys.iter().map(Literal::from).collect();
    let cut = |literals: &[Literal]| {
        let select = Soql::select(["Id"]).from("Contact").filter(field("Email").is_in(literals.to_vec()));
        select.build_split(SoqlBudget::Address).expect("cuts")
    };
    criterion.bench_function("build and split 10,000 keys", |bench| bench.iter(|| black_box(cut(&literals))));
}

criterion_group!(benches, soql);
criterion_main!(benches);
