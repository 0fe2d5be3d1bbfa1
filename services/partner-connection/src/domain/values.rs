//! The closed lists of the directory and of connections. Numbers and names are those of the interface; a test holds
//! them against its definition.

use cosell_types::closed_list;

closed_list! {
    /// Whether an account takes part (DIR-001).
    AccountStatus {
        /// It takes part.
        Active = 1 "ACTIVE" "",
        /// It is shut out.
        Suspended = 2 "SUSPENDED" "",
    }
}

closed_list! {
    /// What kind of partner a company is (DIR-040).
    PartnerType {
        /// Advises.
        ConsultingPartner = 1 "CONSULTING_PARTNER" "Consulting Partner",
        /// Sells software.
        Isv = 2 "ISV" "ISV",
        /// Resells.
        Reseller = 3 "RESELLER" "Reseller",
        /// Sells through resellers.
        Distributor = 4 "DISTRIBUTOR" "Distributor",
        /// Trains people.
        TrainingPartner = 5 "TRAINING_PARTNER" "Training Partner",
    }
}

closed_list! {
    /// How far a company has come in the programme, in order (DIR-002).
    PartnerTier {
        /// It is registered.
        Registered = 1 "REGISTERED" "",
        /// Select.
        Select = 2 "SELECT" "",
        /// Advanced.
        Advanced = 3 "ADVANCED" "",
        /// Premier.
        Premier = 4 "PREMIER" "",
    }
}

impl Default for PartnerTier {
    /// Where everybody begins.
    fn default() -> Self {
        Self::Registered
    }
}

closed_list! {
    /// What a partner mainly offers (DIR-030).
    SolutionType {
        /// Software.
        SoftwareProducts = 1 "SOFTWARE_PRODUCTS" "SOFTWARE_PRODUCTS",
        /// Consulting.
        ConsultingServices = 2 "CONSULTING_SERVICES" "CONSULTING_SERVICES",
        /// Projects.
        ProfessionalServices = 3 "PROFESSIONAL_SERVICES" "PROFESSIONAL_SERVICES",
        /// Operation.
        ManagedServices = 4 "MANAGED_SERVICES" "MANAGED_SERVICES",
        /// Hardware.
        HardwareProducts = 5 "HARDWARE_PRODUCTS" "HARDWARE_PRODUCTS",
        /// Communication.
        CommunicationServices = 6 "COMMUNICATION_SERVICES" "COMMUNICATION_SERVICES",
        /// Resale of AWS services with something added.
        ValueAddedResaleAwsServices = 7 "VALUE_ADDED_RESALE_AWS_SERVICES" "VALUE_ADDED_RESALE_AWS_SERVICES",
        /// Training.
        TrainingServices = 8 "TRAINING_SERVICES" "TRAINING_SERVICES",
    }
}

closed_list! {
    /// Who finds a profile (DIR-031).
    ProfileVisibility {
        /// Nobody but the company itself and AWS.
        Private = 1 "PRIVATE" "PRIVATE",
        /// Every partner.
        Public = 2 "PUBLIC" "PUBLIC",
    }
}

closed_list! {
    /// Where a member stands (DIR-010).
    MemberStatus {
        /// Asked to join.
        Invited = 1 "INVITED" "",
        /// Works for the account.
        Active = 2 "ACTIVE" "",
        /// Has left; final.
        Deactivated = 3 "DEACTIVATED" "",
    }
}

closed_list! {
    /// What a connection is for (CON-001).
    ConnectionType {
        /// Two partners share opportunities.
        OpportunityCollaboration = 1 "OPPORTUNITY_COLLABORATION" "OPPORTUNITY_COLLABORATION",
        /// The receiver is a seller account under the sender.
        Subsidiary = 2 "SUBSIDIARY" "SUBSIDIARY",
    }
}

closed_list! {
    /// Where an invitation stands; all but pending are final (CON-010).
    ConnectionInvitationStatus {
        /// Waits for the receiver.
        Pending = 1 "PENDING" "PENDING",
        /// Taken.
        Accepted = 2 "ACCEPTED" "ACCEPTED",
        /// Refused.
        Rejected = 3 "REJECTED" "REJECTED",
        /// Taken back.
        Canceled = 4 "CANCELED" "CANCELED",
        /// Nobody answered in time.
        Expired = 5 "EXPIRED" "EXPIRED",
    }
}

closed_list! {
    /// Where a type of a connection, or the connection, stands (CON-020).
    ConnectionStatus {
        /// In force.
        Active = 1 "ACTIVE" "ACTIVE",
        /// Ended; final.
        Canceled = 2 "CANCELED" "CANCELED",
    }
}

closed_list! {
    /// Whose invitations a company takes (CON-030).
    AccessType {
        /// Everybody's.
        AllowAll = 1 "ALLOW_ALL" "ALLOW_ALL",
        /// Nobody's.
        DenyAll = 2 "DENY_ALL" "DENY_ALL",
        /// Everybody's but some.
        AllowByDefaultDenySome = 3 "ALLOW_BY_DEFAULT_DENY_SOME" "ALLOW_BY_DEFAULT_DENY_SOME",
    }
}
