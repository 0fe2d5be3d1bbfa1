//! The enums of the directory and of connections, with the numbers and names of the proto enums; a test compares them
//! with the proto definitions.

use cosell_types::closed_list;

closed_list! {
    /// Status of an account (DIR-001).
    AccountStatus {
        /// Its members have access.
        Active = 1 "ACTIVE" "",
        /// Its members have no access, and no account can connect with it.
        Suspended = 2 "SUSPENDED" "",
    }
}

closed_list! {
    /// Type of a partner (DIR-040).
    PartnerType {
        /// Consulting partner.
        ConsultingPartner = 1 "CONSULTING_PARTNER" "Consulting Partner",
        /// Independent software vendor.
        Isv = 2 "ISV" "ISV",
        /// Reseller.
        Reseller = 3 "RESELLER" "Reseller",
        /// Sells through other partners.
        Distributor = 4 "DISTRIBUTOR" "Distributor",
        /// Provider of training.
        TrainingPartner = 5 "TRAINING_PARTNER" "Training Partner",
    }
}

closed_list! {
    /// Tier in the partner program, in ascending order (DIR-002).
    PartnerTier {
        /// The lowest tier.
        Registered = 1 "REGISTERED" "",
        /// Select tier.
        Select = 2 "SELECT" "",
        /// Advanced tier.
        Advanced = 3 "ADVANCED" "",
        /// Premier tier.
        Premier = 4 "PREMIER" "",
    }
}

impl Default for PartnerTier {
    /// The tier of an account whose records state none.
    fn default() -> Self {
        Self::Registered
    }
}

closed_list! {
    /// Primary type of solution that a partner offers (DIR-030).
    SolutionType {
        /// Software products.
        SoftwareProducts = 1 "SOFTWARE_PRODUCTS" "SOFTWARE_PRODUCTS",
        /// Offers consulting services.
        ConsultingServices = 2 "CONSULTING_SERVICES" "CONSULTING_SERVICES",
        /// Professional services.
        ProfessionalServices = 3 "PROFESSIONAL_SERVICES" "PROFESSIONAL_SERVICES",
        /// Offers managed services.
        ManagedServices = 4 "MANAGED_SERVICES" "MANAGED_SERVICES",
        /// Hardware products.
        HardwareProducts = 5 "HARDWARE_PRODUCTS" "HARDWARE_PRODUCTS",
        /// Offers communication services.
        CommunicationServices = 6 "COMMUNICATION_SERVICES" "COMMUNICATION_SERVICES",
        /// Value-added resale of AWS services.
        ValueAddedResaleAwsServices = 7 "VALUE_ADDED_RESALE_AWS_SERVICES" "VALUE_ADDED_RESALE_AWS_SERVICES",
        /// Offers training services.
        TrainingServices = 8 "TRAINING_SERVICES" "TRAINING_SERVICES",
    }
}

closed_list! {
    /// Visibility of a profile (DIR-031).
    ProfileVisibility {
        /// Visible only to the account itself and to AWS.
        Private = 1 "PRIVATE" "PRIVATE",
        /// Visible to all partners.
        Public = 2 "PUBLIC" "PUBLIC",
    }
}

closed_list! {
    /// Status of a membership (DIR-010).
    MemberStatus {
        /// The member is invited to join and has no rights yet.
        Invited = 1 "INVITED" "",
        /// The member has joined and has the rights of its roles.
        Active = 2 "ACTIVE" "",
        /// The membership has ended. Only provisioning can reinstate the member.
        Deactivated = 3 "DEACTIVATED" "",
    }
}

closed_list! {
    /// Type of a connection (CON-001).
    ConnectionType {
        /// The two partners share opportunities.
        OpportunityCollaboration = 1 "OPPORTUNITY_COLLABORATION" "OPPORTUNITY_COLLABORATION",
        /// The receiver is a seller account under the sender.
        Subsidiary = 2 "SUBSIDIARY" "SUBSIDIARY",
    }
}

closed_list! {
    /// Status of an invitation; all but PENDING are final (CON-010).
    ConnectionInvitationStatus {
        /// The receiver has not answered.
        Pending = 1 "PENDING" "PENDING",
        /// The receiver accepted it.
        Accepted = 2 "ACCEPTED" "ACCEPTED",
        /// The receiver rejected it.
        Rejected = 3 "REJECTED" "REJECTED",
        /// The sender canceled it.
        Canceled = 4 "CANCELED" "CANCELED",
        /// The receiver did not answer before its deadline.
        Expired = 5 "EXPIRED" "EXPIRED",
    }
}

closed_list! {
    /// Status of a connection, or of one of its types (CON-020).
    ConnectionStatus {
        /// The connection, or at least one of its types, is active.
        Active = 1 "ACTIVE" "ACTIVE",
        /// The type, or every type of the connection, is canceled; final.
        Canceled = 2 "CANCELED" "CANCELED",
    }
}

closed_list! {
    /// Which invitations an account accepts (CON-030).
    AccessType {
        /// Those of all senders.
        AllowAll = 1 "ALLOW_ALL" "ALLOW_ALL",
        /// None.
        DenyAll = 2 "DENY_ALL" "DENY_ALL",
        /// Those of all senders that are not excluded.
        AllowByDefaultDenySome = 3 "ALLOW_BY_DEFAULT_DENY_SOME" "ALLOW_BY_DEFAULT_DENY_SOME",
    }
}
