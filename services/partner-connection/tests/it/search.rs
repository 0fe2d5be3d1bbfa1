//! Partners find each other (DIR-031, DIR-040).

use cosell_partner_connection::Partners;
use cosell_proto::cosell::partner::v1 as pb;
use cosell_testkit::harness::{App, refused};
use tonic::Code;

use crate::support::{
    ALDER, AWS, BIRCH, Calls, account_record, apply, by, company, connected, lead, profile_id, start, who,
};

async fn find(calls: &mut Calls, filter: pb::PartnerFilter) -> Vec<String> {
    let mut request = pb::ListPartnersRequest {
        filter: Some(filter),
        page_size: 2,
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = calls
            .accounts()
            .list_partners(request.clone())
            .await
            .expect("a page")
            .into_inner();
        let names = page.partners.into_iter().filter_map(|partner| partner.profile);
        found.extend(names.map(|profile| profile.display_name));
        if page.next_page_token.is_empty() {
            return found;
        }
        request.page_token = page.next_page_token;
    }
}

async fn several(app: &App) {
    let mut elm = company("444444444444", "elm Cloud");
    elm.partner_types = vec![
        pb::PartnerType::Reseller.into(),
        pb::PartnerType::Distributor.into(),
    ];
    elm.programs = vec!["Workspaces".to_owned()];
    elm.specializations = vec!["Security".to_owned()];
    if let Some(profile) = &mut elm.profile {
        profile.description = "100% of clouds_and more".to_owned();
        profile.industry_segments = vec!["Gaming".to_owned(), "Travel".to_owned()];
        profile.primary_solution_type = pb::SolutionType::TrainingServices.into();
        profile.headquarters_country_code = "FR".to_owned();
    }
    let mut hidden = company("555555555555", "Fir");
    hidden.visibility = pb::ProfileVisibility::Private.into();
    apply(app, vec![account_record(elm), account_record(hidden)]).await;
}

#[tokio::test]
async fn dir_040_every_filter_finds_what_it_says() {
    let app = start().await;
    several(&app).await;
    connected(&app, ALDER, BIRCH).await;
    let mut alder = by(&app, &who(ALDER, "alder-user"));
    let all = ["Alder", "Birch", "elm Cloud"].as_slice();
    let elm = ["elm Cloud"].as_slice();
    let others = ["Alder", "Birch"].as_slice();
    let none = pb::PartnerFilter::default;
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for (filter, expected) in [
        (none(), all),
        (
            pb::PartnerFilter {
                name: "ELM".to_owned(),
                ..none()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                name: "%".to_owned(),
                ..none()
            },
            [].as_slice(),
        ),
        (
            pb::PartnerFilter {
                keywords: texts(&["100%", "CLOUDS_"]),
                ..none()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                keywords: texts(&["100%", "warehouses"]),
                ..none()
            },
            &[],
        ),
        (
            pb::PartnerFilter {
                industry_segments: texts(&["Travel"]),
                ..none()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                headquarters_country_codes: texts(&["FR", "IT"]),
                ..none()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                programs: texts(&["Well-Architected"]),
                ..none()
            },
            others,
        ),
        (
            pb::PartnerFilter {
                specializations: texts(&["Security", "Migration"]),
                ..none()
            },
            all,
        ),
        (
            pb::PartnerFilter {
                partner_types: vec![pb::PartnerType::Distributor.into()],
                ..none()
            },
            elm,
        ),
        (
            pb::PartnerFilter {
                solution_types: vec![pb::SolutionType::SoftwareProducts.into()],
                ..none()
            },
            others,
        ),
        (
            pb::PartnerFilter {
                connected: Some(true),
                ..none()
            },
            &["Birch"],
        ),
        (
            pb::PartnerFilter {
                connected: Some(false),
                ..none()
            },
            &["Alder", "elm Cloud"],
        ),
        (
            pb::PartnerFilter {
                name: "b".to_owned(),
                industry_segments: texts(&["Gaming"]),
                ..none()
            },
            &[],
        ),
    ] {
        assert_eq!(find(&mut alder, filter.clone()).await, expected, "{filter:?}");
    }
    let mut aws = by(&app, &who(AWS, "aws-pdm"));
    assert_eq!(find(&mut aws, none()).await, all);
    app.finish::<Partners>().await;
}

#[tokio::test]
async fn dir_031_a_private_profile_is_as_if_it_were_not() {
    let app = start().await;
    let id = profile_id(&app, BIRCH).await;
    let reading = |id: &str| pb::GetPartnerRequest {
        profile_id: id.to_owned(),
    };
    let mut alder = by(&app, &who(ALDER, "alder-user"));
    let seen = alder
        .accounts()
        .get_partner(reading(&id))
        .await
        .expect("a partner")
        .into_inner();
    assert!(!seen.partner.expect("a partner").connected);
    let hiding = pb::SetProfileVisibilityRequest {
        visibility: pb::ProfileVisibility::Private.into(),
        ..Default::default()
    };
    lead(&app, BIRCH)
        .accounts()
        .set_profile_visibility(hiding)
        .await
        .expect("a change");
    let never = "pprofile-0000000000000";
    let hidden = refused(
        alder.accounts().get_partner(reading(&id)).await,
        Code::NotFound,
        "PROFILE_NOT_FOUND",
    );
    let absent = refused(
        alder.accounts().get_partner(reading(never)).await,
        Code::NotFound,
        "PROFILE_NOT_FOUND",
    );
    assert_eq!(hidden.message.replace(&id, ""), absent.message.replace(never, ""));
    assert_eq!(find(&mut alder, pb::PartnerFilter::default()).await, ["Alder"]);
    app.finish::<Partners>().await;
}
