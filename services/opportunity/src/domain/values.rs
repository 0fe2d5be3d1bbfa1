//! The closed lists of the opportunity (OPP-011). Numbers and names are those of the proto enums, literals those of AWS
//! Partner Central's API. A test compares them with the proto definitions.

use cosell_types::closed_list;

closed_list! {
    /// The state of an opportunity in AWS's review (OPP-030).
    ReviewStatus {
        /// A draft: all fields are editable, and AWS does not see it.
        PendingSubmission = 1 "PENDING_SUBMISSION" "Pending Submission",
        /// Submitted and in the review queue; read-only for the partner.
        Submitted = 2 "SUBMITTED" "Submitted",
        /// A reviewer has started the review; read-only for the partner.
        InReview = 3 "IN_REVIEW" "In review",
        /// The partner must correct the opportunity; some fields are editable.
        ActionRequired = 4 "ACTION_REQUIRED" "Action Required",
        /// Validated by AWS.
        Approved = 5 "APPROVED" "Approved",
        /// Rejected permanently; read-only.
        Rejected = 6 "REJECTED" "Rejected",
    }
}

closed_list! {
    /// Why a reviewer requires corrections or rejected a submission (REV-011).
    ReviewReason {
        /// The opportunity is part of a bulk upload that requires a response first.
        BulkUploadResponse = 1 "BULK_UPLOAD_RESPONSE" "Bulk Upload Response",
        /// The expected revenue is not plausible or not explained.
        ClarifyRevenue = 2 "CLARIFY_REVENUE" "Clarify Revenue",
        /// The offered solution is not clear.
        ClarifySolution = 3 "CLARIFY_SOLUTION" "Clarify Solution",
        /// Stage, dates and amounts contradict each other.
        ForecastConflict = 4 "FORECAST_CONFLICT" "Forecast Conflict",
        /// Another reason, stated in the review comments.
        Other = 5 "OTHER" "Other",
        /// Another reason, which AWS does not disclose.
        OtherInternalReview = 6 "OTHER_INTERNAL_REVIEW" "Other - Internal Review",
    }
}

closed_list! {
    /// Types of entities that can be associated with an opportunity (OPP-045).
    RelatedEntityType {
        /// A registered solution of the account.
        Solutions = 1 "SOLUTIONS" "Solutions",
        /// A product of the AWS catalog.
        AwsProducts = 2 "AWS_PRODUCTS" "AwsProducts",
        /// A solution in AWS Marketplace.
        AwsMarketplaceSolutions = 3 "AWS_MARKETPLACE_SOLUTIONS" "AwsMarketplaceSolutions",
        /// A product in AWS Marketplace.
        AwsMarketplaceProducts = 4 "AWS_MARKETPLACE_PRODUCTS" "AwsMarketplaceProducts",
        /// An offer in AWS Marketplace.
        AwsMarketplaceOffers = 5 "AWS_MARKETPLACE_OFFERS" "AwsMarketplaceOffers",
        /// An offer set in AWS Marketplace.
        AwsMarketplaceOfferSets = 6 "AWS_MARKETPLACE_OFFER_SETS" "AwsMarketplaceOfferSets",
    }
}

closed_list! {
    /// How the stage of an approved opportunity changed (OPP-034).
    StageMove {
        /// To the next open stage.
        Advanced = 1 "ADVANCED" "",
        /// Forward, past at least one open stage.
        Skipped = 2 "SKIPPED" "",
        /// Back to an earlier open stage.
        Regressed = 3 "REGRESSED" "",
        /// To LAUNCHED.
        Launched = 4 "LAUNCHED" "",
        /// To CLOSED_LOST.
        Lost = 5 "LOST" "",
    }
}

closed_list! {
    /// Status of a registered solution (OPP-046).
    SolutionStatus {
        /// The solution can be associated with opportunities.
        Active = 1 "ACTIVE" "Active",
        /// The solution can no longer be associated.
        Inactive = 2 "INACTIVE" "Inactive",
        /// The solution cannot be associated yet.
        Draft = 3 "DRAFT" "Draft",
    }
}

closed_list! {
    /// Format of an imported or exported file (OPP-080).
    FileFormat {
        /// Comma-separated values.
        Csv = 1 "CSV" "",
        /// One JSON object per line and opportunity.
        JsonLines = 2 "JSON_LINES" "",
    }
}

closed_list! {
    /// What an import does with its rows (OPP-081).
    ImportMode {
        /// Each row creates a draft.
        Create = 1 "CREATE" "",
        /// Each row creates an opportunity and submits it.
        CreateAndSubmit = 2 "CREATE_AND_SUBMIT" "",
        /// Each row updates the opportunity whose id it has.
        Update = 3 "UPDATE" "",
    }
}

closed_list! {
    /// Kind of a bulk job (OPP-082).
    BulkKind {
        /// Import of a file.
        Import = 1 "IMPORT" "",
        /// Transfer of opportunities to another member.
        Transfer = 2 "TRANSFER" "",
    }
}

closed_list! {
    /// State of a bulk job (OPP-082).
    BulkState {
        /// The job has unprocessed rows.
        Running = 1 "RUNNING" "",
        /// All rows are processed.
        Completed = 2 "COMPLETED" "",
        /// A member canceled the job.
        Canceled = 3 "CANCELED" "",
        /// The job as a whole cannot continue: the member who started it is no longer permitted to, or the assignee can
        /// no longer own opportunities.
        Failed = 4 "FAILED" "",
    }
}

closed_list! {
    /// Sales stage, in order.
    Stage {
        /// An opportunity with a customer is identified.
        Prospect = 1 "PROSPECT" "Prospect",
        /// The customer confirmed that the opportunity is viable and of interest.
        Qualified = 2 "QUALIFIED" "Qualified",
        /// The customer validates the solution technically.
        TechnicalValidation = 3 "TECHNICAL_VALIDATION" "Technical Validation",
        /// The customer's business side agrees on financial viability.
        BusinessValidation = 4 "BUSINESS_VALIDATION" "Business Validation",
        /// The customer committed to the solution.
        Committed = 5 "COMMITTED" "Committed",
        /// Billing of the solution has begun; closed.
        Launched = 6 "LAUNCHED" "Launched",
        /// The customer decided otherwise or is not ready; closed.
        ClosedLost = 7 "CLOSED_LOST" "Closed Lost",
    }
}

closed_list! {
    /// Why the partner lost an opportunity.
    ClosedLostReason {
        CustomerDeficiency = 1 "CUSTOMER_DEFICIENCY" "Customer Deficiency",
        DelayCancellationOfProject = 2 "DELAY_CANCELLATION_OF_PROJECT" "Delay / Cancellation of Project",
        LegalTaxRegulatory = 3 "LEGAL_TAX_REGULATORY" "Legal / Tax / Regulatory",
        LostToCompetitorGoogle = 4 "LOST_TO_COMPETITOR_GOOGLE" "Lost to Competitor - Google",
        LostToCompetitorMicrosoft = 5 "LOST_TO_COMPETITOR_MICROSOFT" "Lost to Competitor - Microsoft",
        LostToCompetitorSoftlayer = 6 "LOST_TO_COMPETITOR_SOFTLAYER" "Lost to Competitor - SoftLayer",
        LostToCompetitorVmware = 7 "LOST_TO_COMPETITOR_VMWARE" "Lost to Competitor - VMWare",
        LostToCompetitorOther = 8 "LOST_TO_COMPETITOR_OTHER" "Lost to Competitor - Other",
        NoOpportunity = 9 "NO_OPPORTUNITY" "No Opportunity",
        OnPremisesDeployment = 10 "ON_PREMISES_DEPLOYMENT" "On Premises Deployment",
        PartnerGap = 11 "PARTNER_GAP" "Partner Gap",
        Price = 12 "PRICE" "Price",
        SecurityCompliance = 13 "SECURITY_COMPLIANCE" "Security / Compliance",
        TechnicalLimitations = 14 "TECHNICAL_LIMITATIONS" "Technical Limitations",
        CustomerExperience = 15 "CUSTOMER_EXPERIENCE" "Customer Experience",
        Other = 16 "OTHER" "Other",
        PeopleRelationshipGovernance = 17 "PEOPLE_RELATIONSHIP_GOVERNANCE" "People/Relationship/Governance",
        ProductTechnology = 18 "PRODUCT_TECHNOLOGY" "Product/Technology",
        FinancialCommercial = 19 "FINANCIAL_COMMERCIAL" "Financial/Commercial",
    }
}

closed_list! {
    /// Who originated an opportunity.
    Origin {
        /// AWS referred it to the partner.
        AwsReferral = 1 "AWS_REFERRAL" "AWS Referral",
        /// The partner created it.
        PartnerReferral = 2 "PARTNER_REFERRAL" "Partner Referral",
    }
}

closed_list! {
    /// Type of an opportunity (OPP-004).
    OpportunityType {
        /// New business.
        NetNewBusiness = 1 "NET_NEW_BUSINESS" "Net New Business",
        /// Renewal of a contract without potential for more revenue.
        FlatRenewal = 2 "FLAT_RENEWAL" "Flat Renewal",
        /// An existing contract with potential for more revenue.
        Expansion = 3 "EXPANSION" "Expansion",
    }
}

closed_list! {
    /// How AWS is involved.
    InvolvementType {
        /// AWS sales works on the opportunity with the partner.
        CoSell = 1 "CO_SELL" "Co-Sell",
        /// AWS is only informed.
        ForVisibilityOnly = 2 "FOR_VISIBILITY_ONLY" "For Visibility Only",
    }
}

closed_list! {
    /// What sales roles of AWS see of a submitted opportunity.
    Visibility {
        /// Everything.
        Full = 1 "FULL" "Full",
        /// Nothing; of AWS only reviewers see it.
        Limited = 2 "LIMITED" "Limited",
    }
}

closed_list! {
    /// Support that the partner needs from AWS.
    PrimaryNeedFromAws {
        ArchitecturalValidation = 1 "ARCHITECTURAL_VALIDATION" "Co-Sell - Architectural Validation",
        BusinessPresentation = 2 "BUSINESS_PRESENTATION" "Co-Sell - Business Presentation",
        CompetitiveInformation = 3 "COMPETITIVE_INFORMATION" "Co-Sell - Competitive Information",
        PricingAssistance = 4 "PRICING_ASSISTANCE" "Co-Sell - Pricing Assistance",
        TechnicalConsultation = 5 "TECHNICAL_CONSULTATION" "Co-Sell - Technical Consultation",
        TotalCostOfOwnershipEvaluation = 6 "TOTAL_COST_OF_OWNERSHIP_EVALUATION" "Co-Sell - Total Cost of Ownership Evaluation",
        DealSupport = 7 "DEAL_SUPPORT" "Co-Sell - Deal Support",
        SupportForPublicTenderRfx = 8 "SUPPORT_FOR_PUBLIC_TENDER_RFX" "Co-Sell - Support for Public Tender / RFx",
    }
}

closed_list! {
    /// How the solution is delivered to the customer.
    DeliveryModel {
        /// In the partner's cloud account.
        SaasOrPaas = 1 "SAAS_OR_PAAS" "SaaS or PaaS",
        /// In the customer's account.
        ByolOrAmi = 2 "BYOL_OR_AMI" "BYOL or AMI",
        ManagedServices = 3 "MANAGED_SERVICES" "Managed Services",
        ProfessionalServices = 4 "PROFESSIONAL_SERVICES" "Professional Services",
        Resell = 5 "RESELL" "Resell",
        Other = 6 "OTHER" "Other",
    }
}

closed_list! {
    /// Sales activities with the customer so far.
    SalesActivity {
        InitializedDiscussionsWithCustomer = 1 "INITIALIZED_DISCUSSIONS_WITH_CUSTOMER" "Initialized discussions with customer",
        CustomerHasShownInterestInSolution = 2 "CUSTOMER_HAS_SHOWN_INTEREST_IN_SOLUTION" "Customer has shown interest in solution",
        ConductedPocDemo = 3 "CONDUCTED_POC_DEMO" "Conducted POC / Demo",
        InEvaluationPlanningStage = 4 "IN_EVALUATION_PLANNING_STAGE" "In evaluation / planning stage",
        AgreedOnSolutionToBusinessProblem = 5 "AGREED_ON_SOLUTION_TO_BUSINESS_PROBLEM" "Agreed on solution to Business Problem",
        CompletedActionPlan = 6 "COMPLETED_ACTION_PLAN" "Completed Action Plan",
        FinalizedDeploymentNeed = 7 "FINALIZED_DEPLOYMENT_NEED" "Finalized Deployment Need",
        SowSigned = 8 "SOW_SIGNED" "SOW Signed",
    }
}

closed_list! {
    /// The partner's competitor.
    CompetitorName {
        OracleCloud = 1 "ORACLE_CLOUD" "Oracle Cloud",
        OnPrem = 2 "ON_PREM" "On-Prem",
        CoLocation = 3 "CO_LOCATION" "Co-location",
        Akamai = 4 "AKAMAI" "Akamai",
        Alicloud = 5 "ALICLOUD" "AliCloud",
        GoogleCloudPlatform = 6 "GOOGLE_CLOUD_PLATFORM" "Google Cloud Platform",
        IbmSoftlayer = 7 "IBM_SOFTLAYER" "IBM Softlayer",
        MicrosoftAzure = 8 "MICROSOFT_AZURE" "Microsoft Azure",
        OtherCostOptimization = 9 "OTHER_COST_OPTIMIZATION" "Other- Cost Optimization",
        NoCompetition = 10 "NO_COMPETITION" "No Competition",
        /// Named in `other_competitor_names`.
        Other = 11 "OTHER" "*Other",
    }
}

closed_list! {
    /// How often an amount is paid.
    PaymentFrequency {
        /// Every month.
        Monthly = 1 "MONTHLY" "Monthly",
        /// Once, as a total contract value.
        OneTime = 2 "ONE_TIME" "None",
        /// Every year; accepted, and stored as a twelfth per month (OPP-016).
        Annual = 3 "ANNUAL" "Annual",
    }
}

closed_list! {
    /// Whether a marketing activity led to the opportunity.
    MarketingSource {
        MarketingActivity = 1 "MARKETING_ACTIVITY" "Marketing Activity",
        None = 2 "NONE" "None",
    }
}

closed_list! {
    /// Channel of a marketing activity.
    MarketingChannel {
        AwsMarketingCentral = 1 "AWS_MARKETING_CENTRAL" "AWS Marketing Central",
        ContentSyndication = 2 "CONTENT_SYNDICATION" "Content Syndication",
        Display = 3 "DISPLAY" "Display",
        Email = 4 "EMAIL" "Email",
        LiveEvent = 5 "LIVE_EVENT" "Live Event",
        OutOfHome = 6 "OUT_OF_HOME" "Out Of Home (OOH)",
        Print = 7 "PRINT" "Print",
        Search = 8 "SEARCH" "Search",
        Social = 9 "SOCIAL" "Social",
        Telemarketing = 10 "TELEMARKETING" "Telemarketing",
        Tv = 11 "TV" "TV",
        Video = 12 "VIDEO" "Video",
        VirtualEvent = 13 "VIRTUAL_EVENT" "Virtual Event",
    }
}

closed_list! {
    /// How the partner sells its software.
    RevenueDeliveryModel {
        Contract = 1 "CONTRACT" "Contract",
        PayAsYouGo = 2 "PAY_AS_YOU_GO" "Pay-as-you-go",
        Subscription = 3 "SUBSCRIPTION" "Subscription",
    }
}

closed_list! {
    /// Phase of a migration.
    MigrationPhase {
        Assess = 1 "ASSESS" "Assess",
        Mobilize = 2 "MOBILIZE" "Mobilize",
        MigrateAndModernize = 3 "MIGRATE_AND_MODERNIZE" "Migrate & Modernize",
        Manage = 4 "MANAGE" "Manage",
    }
}

closed_list! {
    /// Stage of the opportunity in AWS's own sales process (OPP-054).
    AwsStage {
        NotStarted = 1 "NOT_STARTED" "Not Started",
        InProgress = 2 "IN_PROGRESS" "In Progress",
        Prospect = 3 "PROSPECT" "Prospect",
        Engaged = 4 "ENGAGED" "Engaged",
        Identified = 5 "IDENTIFIED" "Identified",
        Qualify = 6 "QUALIFY" "Qualify",
        Research = 7 "RESEARCH" "Research",
        SellerEngaged = 8 "SELLER_ENGAGED" "Seller Engaged",
        Evaluating = 9 "EVALUATING" "Evaluating",
        SellerRegistered = 10 "SELLER_REGISTERED" "Seller Registered",
        TermSheetNegotiation = 11 "TERM_SHEET_NEGOTIATION" "Term Sheet Negotiation",
        ContractNegotiation = 12 "CONTRACT_NEGOTIATION" "Contract Negotiation",
        Onboarding = 13 "ONBOARDING" "Onboarding",
        BuildingIntegration = 14 "BUILDING_INTEGRATION" "Building Integration",
        Qualified = 15 "QUALIFIED" "Qualified",
        OnHold = 16 "ON_HOLD" "On-hold",
        TechnicalValidation = 17 "TECHNICAL_VALIDATION" "Technical Validation",
        BusinessValidation = 18 "BUSINESS_VALIDATION" "Business Validation",
        Committed = 19 "COMMITTED" "Committed",
        /// Billing has begun; the stage is visible to the partner (OPP-052).
        Launched = 20 "LAUNCHED" "Launched",
        DeferredToPartner = 21 "DEFERRED_TO_PARTNER" "Deferred to Partner",
        /// The opportunity is lost; the stage is visible to the partner (OPP-052).
        ClosedLost = 22 "CLOSED_LOST" "Closed Lost",
        Completed = 23 "COMPLETED" "Completed",
        ClosedIncomplete = 24 "CLOSED_INCOMPLETE" "Closed Incomplete",
    }
}

closed_list! {
    /// Why AWS changed the involvement that the partner requested (OPP-057).
    InvolvementTypeChangeReason {
        ExpansionOpportunity = 1 "EXPANSION_OPPORTUNITY" "Expansion Opportunity",
        ChangeInDealInformation = 2 "CHANGE_IN_DEAL_INFORMATION" "Change in Deal Information",
        CustomerRequested = 3 "CUSTOMER_REQUESTED" "Customer Requested",
        TechnicalComplexity = 4 "TECHNICAL_COMPLEXITY" "Technical Complexity",
        RiskMitigation = 5 "RISK_MITIGATION" "Risk Mitigation",
    }
}

closed_list! {
    /// How likely the customer is to buy through AWS Marketplace (OPP-058).
    EngagementScore {
        High = 1 "HIGH" "High",
        Medium = 2 "MEDIUM" "Medium",
        Low = 3 "LOW" "Low",
    }
}

closed_list! {
    /// Named lists of opportunities (OPP-063).
    Preset {
        /// Not a draft, or referred by AWS.
        AllCustomerEngagements = 1 "ALL_CUSTOMER_ENGAGEMENTS" "All customer engagements",
        /// Drafts.
        Draft = 2 "DRAFT" "Draft opportunities",
        /// In review status SUBMITTED or IN_REVIEW.
        InReview = 3 "IN_REVIEW" "Opportunities in review",
        /// Approved, in an open stage.
        ValidatedOpen = 4 "VALIDATED_OPEN" "Validated open opportunities",
        /// In stage COMMITTED.
        Committed = 5 "COMMITTED" "Committed opportunities",
        /// In stage LAUNCHED.
        Launched = 6 "LAUNCHED" "Launched opportunities",
        /// With a target close date in this month.
        ClosingThisMonth = 7 "CLOSING_THIS_MONTH" "Closing this month",
        /// Always empty: an offer of AWS is no opportunity of the partner before acceptance.
        PendingAcceptance = 8 "PENDING_ACCEPTANCE" "Opportunities pending acceptance",
        /// Approved, with the origin PARTNER_REFERRAL.
        PartnerReferred = 9 "PARTNER_REFERRED" "Partner referred opportunities",
        /// Approved, with the origin AWS_REFERRAL.
        AwsReferred = 10 "AWS_REFERRED" "AWS referred opportunities",
        /// Flagged by the caller.
        Flagged = 11 "FLAGGED" "Flagged opportunities",
        /// Referred by AWS, created in the last seven days.
        SharedByAwsLast7Days = 12 "SHARED_BY_AWS_LAST_7_DAYS" "Shared by AWS in the last 7 days",
        /// Referred by AWS, created in this quarter.
        SharedByAwsThisQuarter = 13 "SHARED_BY_AWS_THIS_QUARTER" "Shared by AWS this quarter",
        /// Last changed more than two weeks ago.
        NoUpdateForTwoWeeks = 14 "NO_UPDATE_FOR_TWO_WEEKS" "Date of last provided update exceeds 2 weeks",
        /// Last submitted in the last seven days.
        SubmittedLast7Days = 15 "SUBMITTED_LAST_7_DAYS" "Submitted to AWS in the last 7 days",
        /// Last submitted in this quarter.
        SubmittedThisQuarter = 16 "SUBMITTED_THIS_QUARTER" "Submitted to AWS this quarter",
        /// In review status ACTION_REQUIRED.
        ActionRequired = 17 "ACTION_REQUIRED" "Action required",
    }
}
