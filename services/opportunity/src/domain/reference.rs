//! Standard values: pick lists that are strings on the wire because they are long or change (OPP-011).

use cosell_types::standard::StandardList;
pub use cosell_types::standard::{COUNTRY, INDUSTRY};

/// Customer use cases.
pub static USE_CASE: StandardList = StandardList::new(
    "customer_use_case",
    &[
        "AI Machine Learning and Analytics",
        "Archiving",
        "Big Data: Data Warehouse / Data Integration / ETL / Data Lake / BI",
        "Blockchain",
        "Business Applications: Mainframe Modernization",
        "Business Applications & Contact Center",
        "Business Applications & SAP Production",
        "Centralized Operations Management",
        "Cloud Management Tools",
        "Cloud Management Tools & DevOps with Continuous Integration & Continuous Delivery (CICD)",
        "Configuration, Compliance & Auditing",
        "Connected Services",
        "Containers & Serverless",
        "Content Delivery & Edge Services",
        "Database",
        "Edge Computing / End User Computing",
        "Energy",
        "Enterprise Governance & Controls",
        "Enterprise Resource Planning",
        "Financial Services",
        "Healthcare and Life Sciences",
        "High Performance Computing",
        "Hybrid Application Platform",
        "Industrial Software",
        "IOT",
        "Manufacturing, Supply Chain and Operations",
        "Media & High performance computing (HPC)",
        "Migration / Database Migration",
        "Monitoring, logging and performance",
        "Monitoring & Observability",
        "Networking",
        "Outpost",
        "SAP",
        "Security & Compliance",
        "Storage & Backup",
        "Training",
        "VMC",
        "VMWare",
        "Web development & DevOps",
    ],
);

/// Categories of registered solutions.
pub static SOLUTION_CATEGORY: StandardList = StandardList::new(
    "solution_category",
    &[
        "Communications Product",
        "Consulting Service",
        "Distribution Service",
        "Hardware Product",
        "Managed Service",
        "Merger and Acquisition Advising Service",
        "Professional Service",
        "Software Product",
        "Training Service",
        "Value-Added Resale AWS Service",
    ],
);

/// Programs of the AWS Partner Network.
pub static APN_PROGRAM: StandardList = StandardList {
    aliases: &[("ISV Immersion Day SFID Program", "IS Immersion Day SFID Program")],
    ..StandardList::new(
        "apn_program",
        &[
            "APN Immersion Days",
            "APN Solution Space",
            "ATO (Authority to Operate)",
            "AWS Marketplace Campaign",
            "IS Immersion Day SFID Program",
            "ISV Workload Migration",
            "Migration Acceleration Program",
            "P3",
            "Partner Launch Initiative",
            "Partner Opportunity Acceleration Funded",
            "The Next Smart",
            "VMware Cloud on AWS",
            "Well-Architected",
            "Windows",
            "Workspaces/AppStream Accelerator Program",
            "WWPS NDPP",
        ],
    )
};

/// Use cases of marketing activities.
pub static MARKETING_USE_CASE: StandardList = StandardList::new(
    "marketing_use_case",
    &[
        "AI/ML",
        "Analytics",
        "Application Integration",
        "Blockchain",
        "Business Applications",
        "Cloud Financial Management",
        "Compute",
        "Containers",
        "Customer Engagement",
        "Databases",
        "Developer Tools",
        "End User Computing",
        "Front End Web & Mobile",
        "Game Tech",
        "IoT",
        "Management & Governance",
        "Media Services",
        "Migration & Transfer",
        "Networking & Content Delivery",
        "Quantum Technologies",
        "Robotics",
        "Satellite",
        "Security",
        "Serverless",
        "Storage",
        "VR & AR",
    ],
);

/// States and regions of the United States, in the spelling of AWS Partner Central.
pub static US_STATE: StandardList = StandardList {
    aliases: &[
        ("District of Columbia", "Dist. of Columbia"),
        ("Washington, D.C.", "Dist. of Columbia"),
    ],
    ..StandardList::new(
        "us_state",
        &[
            "Alabama",
            "Alaska",
            "American Samoa",
            "Arizona",
            "Arkansas",
            "California",
            "Colorado",
            "Connecticut",
            "Delaware",
            "Dist. of Columbia",
            "Federated States of Micronesia",
            "Florida",
            "Georgia",
            "Guam",
            "Hawaii",
            "Idaho",
            "Illinois",
            "Indiana",
            "Iowa",
            "Kansas",
            "Kentucky",
            "Louisiana",
            "Maine",
            "Marshall Islands",
            "Maryland",
            "Massachusetts",
            "Michigan",
            "Minnesota",
            "Mississippi",
            "Missouri",
            "Montana",
            "Nebraska",
            "Nevada",
            "New Hampshire",
            "New Jersey",
            "New Mexico",
            "New York",
            "North Carolina",
            "North Dakota",
            "Northern Mariana Islands",
            "Ohio",
            "Oklahoma",
            "Oregon",
            "Palau",
            "Pennsylvania",
            "Puerto Rico",
            "Rhode Island",
            "South Carolina",
            "South Dakota",
            "Tennessee",
            "Texas",
            "Utah",
            "Vermont",
            "Virginia",
            "Virgin Islands",
            "Washington",
            "West Virginia",
            "Wisconsin",
            "Wyoming",
            "APO/AE",
            "AFO/FPO",
            "FPO, AP",
        ],
    )
};

/// The industry that requires `other_industry` (OPP-012).
pub const OTHER_INDUSTRY: &str = "Other";

/// The use case that is expected of training partners (OPP-042).
pub const TRAINING: &str = "Training";

/// The only industry with national-security opportunities (OPP-017).
pub const GOVERNMENT: &str = "Government";

/// The United States.
pub const US: &str = "US";

/// Titles in the partner's opportunity team (OPP-007).
pub static TEAM_TITLE: StandardList =
    StandardList::new("team_title", &["PartnerAccountManager", "OpportunityOwner"]);

/// AWS's closed-lost reasons (OPP-054).
pub static AWS_CLOSED_LOST_REASON: StandardList = StandardList::new(
    "aws_closed_lost_reason",
    &[
        "Administrative",
        "Business Associate Agreement",
        "Company Acquired/Dissolved",
        "Competitive Offering",
        "Customer Data Requirement",
        "Customer Deficiency",
        "Customer Experience",
        "Delay / Cancellation of Project",
        "Duplicate",
        "Duplicate Opportunity",
        "Executive Blocker",
        "Failed Vetting",
        "Feature Limitation",
        "Financial/Commercial",
        "Insufficient Amazon Value",
        "Insufficient AWS Value",
        "International Constraints",
        "Legal / Tax / Regulatory",
        "Legal Terms and Conditions",
        "Lost to Competitor",
        "Lost to Competitor - Google",
        "Lost to Competitor - Microsoft",
        "Lost to Competitor - Other",
        "Lost to Competitor - Rackspace",
        "Lost to Competitor - SoftLayer",
        "Lost to Competitor - VMWare",
        "No Customer Reference",
        "No Integration Resources",
        "No Opportunity",
        "No Perceived Value of MP",
        "No Response",
        "Not Committed to AWS",
        "No Update",
        "On Premises Deployment",
        "Other",
        "Other (Details in Description)",
        "Partner Gap",
        "Past Due",
        "People/Relationship/Governance",
        "Platform Technology Limitation",
        "Preference for Competitor",
        "Price",
        "Product/Technology",
        "Product Not on AWS",
        "Security / Compliance",
        "Self-Service",
        "Technical Limitations",
        "Term Sheet Impasse",
    ],
);

/// Trends of the quality score of an opportunity (OPP-058).
pub static QUALITY_TREND: StandardList =
    StandardList::new("quality_trend", &["Improving", "Declining", "No Change"]);

/// Types of AWS's recommendations (OPP-058).
pub static RECOMMENDATION_TYPE: StandardList = StandardList::new(
    "recommendation_type",
    &[
        "OpportunityQuality",
        "SolutionRecommendation",
        "SpecialistRecommendation",
    ],
);

/// Co-sell motions: who leads the opportunity (OPP-058).
pub static COSELL_MOTION: StandardList = StandardList::new(
    "cosell_motion",
    &["AWS Field-engaged", "Agent-engaged", "Partner-led"],
);

/// Titles in AWS's opportunity team (OPP-056).
pub static AWS_TEAM_TITLE: StandardList = StandardList::new(
    "aws_team_title",
    &[
        "AWSSalesRep",
        "AWSAccountOwner",
        "WWPSPDM",
        "PDM",
        "PSM",
        "ISVSM",
        "Signatory",
    ],
);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cosell_types::standard::normalize;

    use super::*;

    #[test]
    fn lists_have_expected_sizes_and_values_that_stay_distinct_when_normalized() {
        let lists = [
            (&INDUSTRY, 28),
            (&USE_CASE, 39),
            (&APN_PROGRAM, 16),
            (&MARKETING_USE_CASE, 26),
            (&COUNTRY, 249),
            (&US_STATE, 62),
            (&TEAM_TITLE, 2),
            (&AWS_CLOSED_LOST_REASON, 48),
            (&AWS_TEAM_TITLE, 7),
        ];
        for (list, size) in lists {
            let names: HashSet<_> = list.values.iter().map(|value| normalize(value)).collect();
            assert_eq!((list.values.len(), names.len()), (size, size), "{}", list.name);
            for (alias, value) in list.aliases {
                assert!(list.has(value) && !names.contains(&normalize(alias)), "{alias}");
            }
        }
    }

    #[test]
    fn constants_are_values_of_their_lists() {
        assert!(
            COUNTRY.has(US)
                && USE_CASE.has(TRAINING)
                && INDUSTRY.has(OTHER_INDUSTRY)
                && INDUSTRY.has(GOVERNMENT)
        );
    }
}
